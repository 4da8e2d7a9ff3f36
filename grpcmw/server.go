package grpcmw

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// UnaryServerInterceptor traces the unary RPCs of a server. A nil tracer is the global one at the time of the RPC.
func UnaryServerInterceptor(tracer opentracing.Tracer, opts ...ServerOption) grpc.UnaryServerInterceptor {
	s := newServer(tracer, opts)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
		t, on := rpcspan.Tracer(s.tracer)
		if !on || isServed(ctx, info.FullMethod) {
			return handler(ctx, req)
		}
		c, ctx := s.begin(ctx, t, s.cfg.methodOf(info.FullMethod, unary), unary, req)
		if c == nil {
			return handler(ctx, req)
		}
		done := false
		defer func() {
			if !done {
				s.tell(c, setTrailer(ctx))
				c.unwound(recover())
			}
		}()
		resp, err = handler(ctx, req)
		done = true
		if err != nil {
			s.tell(c, setTrailer(ctx))
		}
		c.end(err, nil)
		return resp, err
	}
}

// StreamServerInterceptor traces the streaming RPCs of a server. A nil tracer is the global one at the time of the RPC.
func StreamServerInterceptor(tracer opentracing.Tracer, opts ...ServerOption) grpc.StreamServerInterceptor {
	s := newServer(tracer, opts)
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		t, on := rpcspan.Tracer(s.tracer)
		ctx := ss.Context()
		if !on || isServed(ctx, info.FullMethod) {
			return handler(srv, ss)
		}
		kind := kindOf(info.IsClientStream, info.IsServerStream)
		c, below := s.begin(ctx, t, s.cfg.serving(srv, info, kind), kind, nil)
		if c == nil {
			return handler(srv, &passedStream{ServerStream: ss, ctx: below})
		}
		done := false
		defer func() {
			if !done {
				s.tell(c, ss.SetTrailer)
				c.unwound(recover())
			}
		}()
		err := handler(srv, &countedServerStream{ServerStream: ss, call: c})
		done = true
		if err != nil {
			s.tell(c, ss.SetTrailer)
		}
		c.end(err, nil)
		return err
	}
}

// ServerOptions returns the options that install both interceptors on a server. They are chained: those of other
// grpc.Chain… options follow in the order in which they are given.
func ServerOptions(tracer opentracing.Tracer, opts ...ServerOption) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(UnaryServerInterceptor(tracer, opts...)),
		grpc.ChainStreamInterceptor(StreamServerInterceptor(tracer, opts...)),
	}
}

type server struct {
	tracer opentracing.Tracer
	cfg    *config
}

func newServer(tracer opentracing.Tracer, opts []ServerOption) *server {
	return &server{tracer: tracer, cfg: serverConfig(opts)}
}

// begin starts the span of an RPC and returns the context for what is below it. Without a call the RPC is not
// traced, and the context passes the caller's on.
func (s *server) begin(ctx context.Context, t opentracing.Tracer, m *method, rpc rpcKind, req any) (*call, context.Context) {
	c := &call{cfg: s.cfg, method: m, kind: rpc, base: ctx}
	if rpc.streaming() {
		c.stream = &streaming{}
	}
	parent := rpcspan.Remote(t, headersOf(ctx))
	front := inFront(ctx, &parent)
	var stranger rpcspan.Parent
	if c.public = s.cfg.isPublic(&c.Span, ctx, m.full); c.public {
		parent, stranger, front = rpcspan.Parent{}, parent, rpcspan.Parent{}
	}
	kind := s.cfg.kind
	if s.cfg.silences(&c.Span, ctx, m, rpc, req) {
		kind = s.cfg.silent
	} else if !s.cfg.traces(&c.Span, ctx, m, rpc, req) {
		if front.IsValid() {
			return nil, ctx
		}
		return nil, rpcspan.ContextWithParent(ctx, t, &parent)
	}
	if front.IsValid() {
		parent = front
	}
	if c.start(t, kind, &parent) {
		c.Link(&stranger)
		l := rpcspan.Tags{Span: &c.Span, Vocabulary: s.cfg.semconv, UserKeys: s.cfg.taken}
		c.describe(&l)
		l.Flush()
	}
	return c, c.context()
}

// inFront returns the span that is active already, such as that of an HTTP server which hands its requests on: it is
// nearer than a caller of the same trace, and all there is without a caller.
func inFront(ctx context.Context, caller *rpcspan.Parent) rpcspan.Parent {
	active := rpcspan.Active(ctx)
	if !active.IsValid() || !caller.IsValid() || active.SameTrace(caller) {
		return active
	}
	return rpcspan.Parent{}
}

// tell sends the trace id to the caller, if that is wanted.
func (s *server) tell(c *call, setTrailer func(metadata.MD)) {
	if s.cfg.trailer == "" || c.public {
		return
	}
	if id := carrier.TraceID(c.OpenTracingSpan().Context()); id != "" {
		setTrailer(metadata.MD{s.cfg.trailer: {id}})
	}
}

func setTrailer(ctx context.Context) func(metadata.MD) {
	return func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) }
}

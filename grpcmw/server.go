package grpcmw

import (
	"context"
	"time"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/woven"
)

// UnaryServerInterceptor returns an interceptor that makes one span of each unary RPC of a server. If tracer is nil,
// [opentracing.GlobalTracer] is looked up on every RPC. Nil functions among the options are ignored. Tags, metadata
// tags, baggage tags, outcome hooks and observers add up; of all other options the last one wins. If an interceptor
// further out already traces the RPC, this one makes no span, but its hooks and observers are called. The interceptor
// may be used concurrently and for any number of servers. All this holds for the other three interceptors, too.
func UnaryServerInterceptor(tracer opentracing.Tracer, opts ...ServerOption) grpc.UnaryServerInterceptor {
	s := newServer(tracer, opts)
	return func(
		ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (resp any, err error) {
		if ctx = orBackground(ctx); info == nil { // never in gRPC
			info = &grpc.UnaryServerInfo{}
		}
		if woven.Active() && s.cfg.yields(ctx, info.FullMethod) {
			return handler(ctx, req)
		}
		t, ok := rpcspan.Tracer(s.tracer)
		if !ok && !s.cfg.observed {
			return handler(s.cfg.decided(ctx, info.FullMethod), req)
		}
		outer := servedCall(ctx, info.FullMethod)
		if outer != nil && outer.joinable(ok) {
			outer.join(s.cfg)
			return handler(ctx, req)
		}
		c, ctx := s.begin(ctx, t, ok, outer, &call{method: s.cfg.methodOf(info.FullMethod, unary)}, req)
		if c == nil {
			return handler(ctx, req)
		}
		returned := false
		defer func() {
			if !returned {
				s.setTraceIDTrailer(c, func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) })
				c.endPanicked(recover())
			}
		}()
		if s.cfg.profilingLabels {
			defer c.setProfilingLabels().Restore()
		}
		c.observe(ctx)
		resp, err = handler(ctx, req)
		returned = true
		if err != nil {
			s.setTraceIDTrailer(c, func(md metadata.MD) { _ = grpc.SetTrailer(ctx, md) })
		}
		c.end(err, nil, time.Time{})
		return resp, err
	}
}

// StreamServerInterceptor returns an interceptor that makes one span of each streaming RPC of a server. See
// [UnaryServerInterceptor] for tracer, opts and concurrency.
func StreamServerInterceptor(tracer opentracing.Tracer, opts ...ServerOption) grpc.StreamServerInterceptor {
	s := newServer(tracer, opts)
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if info == nil { // never in gRPC
			info = &grpc.StreamServerInfo{IsClientStream: true, IsServerStream: true}
		}
		ctx := streamContext(ss)
		if woven.Active() && s.cfg.yields(ctx, info.FullMethod) {
			return handler(srv, ss)
		}
		t, ok := rpcspan.Tracer(s.tracer)
		if !ok && !s.cfg.observed {
			if decided := s.cfg.decided(ctx, info.FullMethod); decided != ctx {
				ss = &contextStream{ServerStream: ss, ctx: decided}
			}
			return handler(srv, ss)
		}
		outer := servedCall(ctx, info.FullMethod)
		if outer != nil && outer.joinable(ok) {
			outer.join(s.cfg)
			return handler(srv, ss)
		}
		rpc := typeOf(info.IsClientStream, info.IsServerStream)
		state := &call{method: s.cfg.servedMethod(srv, info, rpc), rpc: rpc, stream: &streamStats{}}
		c, below := s.begin(ctx, t, ok, outer, state, nil)
		if c == nil {
			return handler(srv, &contextStream{ServerStream: ss, ctx: below})
		}
		returned := false
		defer func() {
			if !returned {
				s.setTraceIDTrailer(c, func(md metadata.MD) { ss.SetTrailer(md) })
				c.endPanicked(recover())
			}
		}()
		if s.cfg.profilingLabels {
			defer c.setProfilingLabels().Restore()
		}
		c.observe(below)
		err := handler(srv, &serverStreamWrapper{ServerStream: ss, call: c})
		returned = true
		if err != nil {
			s.setTraceIDTrailer(c, func(md metadata.MD) { ss.SetTrailer(md) })
		}
		c.end(err, nil, time.Time{})
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

// begin starts the span of an RPC and returns the context for what is below it. If the RPC is neither traced nor
// observed, the call is nil and the context has the caller's context as the parent of what is below. ok is false
// without a tracer. outer is the call of an interceptor further out that has no span, or nil.
func (s *server) begin(
	ctx context.Context, t opentracing.Tracer, ok bool, outer, c *call, req any,
) (*call, context.Context) {
	if s.cfg.woven != nil {
		ctx = wovenBase{ctx}
	}
	c.cfg, c.base = s.cfg, ctx
	if outer != nil {
		c.nestIn(outer)
	}
	c.name = c.operationName()
	if ok {
		s.trace(c, ctx, t, req)
	}
	if !c.span.Started() && !c.observed() {
		return nil, s.cfg.decided(c.base, c.method.full)
	}
	return c, c.context()
}

// trace starts the span, unless the filter is against it.
func (s *server) trace(c *call, ctx context.Context, t opentracing.Tracer, req any) {
	parent, active, untrusted := s.parents(c, ctx, t)
	startTags := s.cfg.startTags
	if c.isSilent(ctx, req) {
		startTags = s.cfg.unsampledTags
	} else if !c.isTraced(ctx, req) {
		switch {
		case c.untrusted:
			c.base = rpcspan.ContextWithStranger(ctx, t, &untrusted)
		case !active.IsValid():
			c.base = rpcspan.ContextWithParent(ctx, t, &parent)
		}
		return
	}
	if active.IsValid() {
		parent = active
	}
	c.start(t, startTags, &parent, &untrusted)
	if c.untrusted {
		c.span.Distrust(t, incomingCarrier(ctx))
	}
}

// parents returns the caller's context, and that of an active span which is to be the parent instead, such as that of
// an HTTP server which passes its requests to gRPC. At a public endpoint neither counts, and the caller is untrusted.
func (s *server) parents(
	c *call, ctx context.Context, t opentracing.Tracer,
) (caller, active, untrusted rpcspan.Parent) {
	defer c.span.RecoverHook() // of a tracer that panics
	caller = rpcspan.Remote(t, incomingCarrier(ctx))
	if c.untrusted = c.isPublic(ctx); c.untrusted {
		return rpcspan.Parent{}, rpcspan.Parent{}, caller
	}
	return caller, rpcspan.ActiveBelow(ctx, &caller), rpcspan.Parent{}
}

// setTraceIDTrailer sends the trace id to the caller if the option says so.
func (s *server) setTraceIDTrailer(c *call, setTrailer func(metadata.MD)) {
	if s.cfg.traceIDTrailer == "" || c.untrusted || !c.span.Started() {
		return
	}
	defer c.span.RecoverHook() // of a stream that is not gRPC's
	if id := carrier.TraceID(c.span.OpenTracingSpan().Context()); id != "" {
		setTrailer(metadata.MD{s.cfg.traceIDTrailer: {id}})
	}
}

// servedCall returns the call of an interceptor further out that serves this very RPC, or nil. An RPC that a handler
// serves within the process under its own context is another one.
func servedCall(ctx context.Context, fullMethod string) *call {
	c := callOf(ctx)
	if c != nil && c.method.full == fullMethod && !c.ended.Load() &&
		sameStream(grpc.ServerTransportStreamFromContext(c.base), grpc.ServerTransportStreamFromContext(ctx)) {
		return c
	}
	return nil
}

// callOf returns the call of the server whose handler runs with ctx, or nil.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// sameStream compares streams whose types anybody may have defined. Streams of an incomparable type are treated as
// equal.
func sameStream(a, b grpc.ServerTransportStream) (same bool) {
	same = true
	defer func() { _ = recover() }()
	return a == b
}

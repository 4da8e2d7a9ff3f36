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
		c, below := s.begin(ctx, info.FullMethod, req, func() *call {
			return &call{method: s.cfg.methodOf(info.FullMethod, unary)}
		})
		if below == nil {
			below = ctx
		}
		if c == nil {
			return handler(below, req)
		}
		setTrailer := func(md metadata.MD) { _ = grpc.SetTrailer(below, md) }
		err = s.handle(c, below, setTrailer, func() (err error) {
			resp, err = handler(below, req)
			return err
		})
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
		c, below := s.begin(streamContext(ss), info.FullMethod, nil, func() *call {
			rpc := typeOf(info.IsClientStream, info.IsServerStream)
			return &call{method: s.cfg.servedMethod(srv, info, rpc), rpc: rpc, stream: &streamStats{}}
		})
		switch {
		case c == nil && below == nil:
			return handler(srv, ss)
		case c == nil:
			return handler(srv, &contextStream{ServerStream: ss, ctx: below})
		}
		setTrailer := func(md metadata.MD) { ss.SetTrailer(md) }
		return s.handle(c, below, setTrailer, func() error {
			return handler(srv, &serverStreamWrapper{ServerStream: ss, call: c})
		})
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
// observed, the call is nil, and so is the context if what is below gets the RPC's own. A context that is returned
// without a call has the caller's context as the parent of what is below.
func (s *server) begin(
	ctx context.Context, fullMethod string, req any, newCall func() *call,
) (_ *call, below context.Context) {
	if woven.Active() && s.cfg.yields(ctx, fullMethod) {
		return nil, nil
	}
	t, ok := rpcspan.Tracer(s.tracer)
	if !ok && !s.cfg.observed {
		if !s.cfg.marksDecision(ctx) {
			return nil, nil
		}
		return nil, s.cfg.decided(ctx, fullMethod)
	}
	outer := servedCall(ctx, fullMethod)
	if outer != nil && outer.joinable(ok) {
		outer.join(s.cfg)
		return nil, nil
	}
	c := newCall()
	if s.cfg.woven != nil {
		ctx = wovenBase{ctx}
	}
	c.cfg, c.base = s.cfg, ctx
	if outer != nil { // it has no span
		c.nestIn(outer)
	}
	c.name = c.operationName()
	if ok {
		s.trace(c, ctx, t, req)
	}
	if !c.span.Started() && !c.observed() {
		return nil, s.cfg.decided(c.base, fullMethod)
	}
	return c, c.context()
}

// handle calls the handler of an RPC and ends the RPC, however the handler ends.
func (s *server) handle(
	c *call, below context.Context, setTrailer func(metadata.MD), handler func() error,
) error {
	returned := false
	defer func() {
		if !returned {
			s.setTraceIDTrailer(c, setTrailer)
			c.endPanicked(recover())
		}
	}()
	if s.cfg.profilingLabels {
		defer c.setProfilingLabels().Restore()
	}
	c.observe(below)
	err := handler()
	returned = true
	if err != nil {
		s.setTraceIDTrailer(c, setTrailer)
	}
	c.end(err, nil, time.Time{})
	return err
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

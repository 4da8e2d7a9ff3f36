package grpcmw

import (
	"context"
	"slices"
	"time"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/woven"
)

// UnaryClientInterceptor returns an interceptor that makes one span of each unary RPC of a connection, and sends the
// span's context with it. See [UnaryServerInterceptor] for tracer, opts and concurrency.
func UnaryClientInterceptor(tracer opentracing.Tracer, opts ...ClientOption) grpc.UnaryClientInterceptor {
	cl := newClient(tracer, opts)
	return func(
		ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker,
		opts ...grpc.CallOption,
	) (err error) {
		ctx = orBackground(ctx)
		c, below := cl.begin(ctx, method, nil, req, cc, opts)
		if c == nil {
			return cl.cfg.pass(below, method, req, reply, cc, invoker, opts)
		}
		direct := false
		c.run(below, func(below context.Context) {
			direct = cl.cfg.invokers.isTransport(invoker)
			opts = slices.Clip(c.options(opts, direct))
			err = invoker(below, method, req, reply, cc, opts...)
			if err != nil {
				err = c.invokeLighter(ctx, below, err, direct, func(ctx context.Context) error {
					return invoker(ctx, method, req, reply, cc, opts...)
				})
			}
		})
		c.answered = direct || c.readForwarded()
		c.end(err, nil, time.Time{})
		return err
	}
}

// StreamClientInterceptor returns an interceptor that makes one span of each streaming RPC of a connection, from its
// start to the end of the stream. See [UnaryServerInterceptor] for tracer, opts and concurrency.
func StreamClientInterceptor(tracer opentracing.Tracer, opts ...ClientOption) grpc.StreamClientInterceptor {
	cl := newClient(tracer, opts)
	return func(
		ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer,
		opts ...grpc.CallOption,
	) (cs grpc.ClientStream, err error) {
		ctx = orBackground(ctx)
		described := desc
		if desc == nil { // never in gRPC
			described = &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		}
		c, below := cl.begin(ctx, method, described, nil, cc, opts)
		if c == nil {
			return streamer(below, desc, cc, method, opts...)
		}
		c.run(below, func(below context.Context) {
			opts = slices.Clip(append(c.options(opts, false), grpc.OnFinish(c.onTransportFinish)))
			cs, err = streamer(below, desc, cc, method, opts...)
			if err != nil {
				cs, err = c.openLighter(ctx, below, err, func(ctx context.Context) (grpc.ClientStream, error) {
					return streamer(ctx, desc, cc, method, opts...)
				})
			}
		})
		if err != nil || cs == nil {
			c.streamEvent(openFailed, err)
			return cs, err
		}
		return c.wrapStream(cs), nil
	}
}

// DialOptions returns the options that install both interceptors on a connection. They are chained: those of other
// grpc.WithChain… options follow in the order in which they are given.
func DialOptions(tracer opentracing.Tracer, opts ...ClientOption) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(UnaryClientInterceptor(tracer, opts...)),
		grpc.WithChainStreamInterceptor(StreamClientInterceptor(tracer, opts...)),
	}
}

type client struct {
	tracer opentracing.Tracer
	cfg    *config
}

func newClient(tracer opentracing.Tracer, opts []ClientOption) *client {
	return &client{tracer: tracer, cfg: clientConfig(opts)}
}

// begin starts the span of an RPC and returns the context to make it with. If the RPC is neither traced nor observed,
// the call is nil and the context carries the caller's context. desc is nil for an invoker.
func (cl *client) begin(
	ctx context.Context, fullMethod string, desc *grpc.StreamDesc, req any, cc *grpc.ClientConn, opts []grpc.CallOption,
) (_ *clientCall, below context.Context) {
	t, ok := rpcspan.Tracer(cl.tracer)
	if !ok && !cl.cfg.observed || quiet.Is(ctx) {
		return nil, cl.cfg.decided(ctx, fullMethod)
	}
	if woven.Active() && cl.cfg.yieldsCall(ctx, fullMethod, opts) {
		return nil, ctx
	}
	outer := outerCall(opts, fullMethod)
	if outer != nil && outer.joinable(ok) {
		outer.join(cl.cfg)
		return nil, ctx
	}
	c := cl.newCall(ctx, fullMethod, desc, cc)
	if outer != nil {
		c.nestIn(&outer.call)
	}
	defer func() {
		if below == nil { // a hook or the tracer did not return
			c.nested = new(nestedHooks) // none has seen the RPC begin
			c.endPanicked(recover())
		}
	}()
	c.name = c.operationName()
	if !ok {
		return c, c.context()
	}
	below = cl.trace(c, ctx, t, req)
	if !c.span.Started() && !c.observed() {
		return nil, cl.cfg.decided(below, fullMethod)
	}
	return c, below
}

func (cl *client) newCall(
	ctx context.Context, fullMethod string, desc *grpc.StreamDesc, cc *grpc.ClientConn,
) *clientCall {
	c := &clientCall{cc: cc}
	c.cfg, c.base, c.client = cl.cfg, ctx, c
	if desc != nil {
		c.rpc = typeOf(desc.ClientStreams, desc.ServerStreams)
		c.clientStreamState = &clientStreamState{}
		c.stream = &c.stats
		c.streamEnd.oneAnswer = !desc.ServerStreams
		_, c.streamEnd.deadline = ctx.Deadline()
	}
	c.method = cl.cfg.calledMethod(ctx, fullMethod, c.rpc)
	return c
}

// trace starts the span, unless the filter is against it, and returns the context with the metadata to send: that of
// the span, or of the active one if there is none for this RPC.
func (cl *client) trace(c *clientCall, ctx context.Context, t opentracing.Tracer, req any) context.Context {
	parent := rpcspan.Active(ctx)
	c.readOutgoing(ctx)
	if c.isTraced(ctx, req) {
		c.start(t, cl.cfg.startTags, &parent, nil)
	}
	below := ctx
	if c.span.Started() || c.observed() {
		below = c.context()
	}
	if c.span.Started() {
		parent = c.span.Parent()
	}
	if !parent.IsValid() || !c.propagates(ctx) {
		return below
	}
	return c.inject(below, t, &parent)
}

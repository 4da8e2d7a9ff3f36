package grpcmw

import (
	"context"
	"slices"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// UnaryClientInterceptor traces the unary RPCs of a connection. A nil tracer is the global one at the time of the RPC.
func UnaryClientInterceptor(tracer opentracing.Tracer, opts ...ClientOption) grpc.UnaryClientInterceptor {
	cl := newClient(tracer, opts)
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) (err error) {
		t, on := rpcspan.Tracer(cl.tracer)
		if !on || isCalled(opts, method) {
			return invoker(ctx, method, req, reply, cc, opts...)
		}
		c, ctx := cl.begin(ctx, t, method, unary, req, cc)
		if c == nil {
			return invoker(ctx, method, req, reply, cc, opts...)
		}
		done := false
		defer func() {
			if !done {
				c.unwound(recover())
			}
		}()
		c.alone = cl.cfg.isOfGRPC(invoker)
		opts = c.options(opts)
		err = invoker(ctx, method, req, reply, cc, slices.Clip(opts)...)
		done = true
		if c.alone {
			c.told.Store(true)
		}
		c.end(err, nil)
		return err
	}
}

// StreamClientInterceptor traces the streaming RPCs of a connection. A nil tracer is the global one at the time of
// the RPC.
func StreamClientInterceptor(tracer opentracing.Tracer, opts ...ClientOption) grpc.StreamClientInterceptor {
	cl := newClient(tracer, opts)
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		t, on := rpcspan.Tracer(cl.tracer)
		if !on || isCalled(opts, method) {
			return streamer(ctx, desc, cc, method, opts...)
		}
		c, ctx := cl.begin(ctx, t, method, kindOf(desc.ClientStreams, desc.ServerStreams), nil, cc)
		if c == nil {
			return streamer(ctx, desc, cc, method, opts...)
		}
		c.answers = desc.ServerStreams
		done := false
		defer func() {
			if !done {
				c.unwound(recover())
			}
		}()
		c.alone = cl.cfg.isOfGRPC(streamer)
		opts = append(c.options(opts), grpc.OnFinish(c.finished))
		cs, err := streamer(ctx, desc, cc, method, slices.Clip(opts)...)
		done = true
		if err != nil || cs == nil {
			c.conclude(err)
			return cs, err
		}
		return c.follow(cs), nil
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

// begin starts the span of an RPC and returns the context to make it with. Without a call the RPC is not traced,
// and the context carries the parent's.
func (cl *client) begin(ctx context.Context, t opentracing.Tracer, fullMethod string, rpc rpcKind, req any, cc *grpc.ClientConn) (_ *clientCall, below context.Context) {
	m := cl.cfg.methodOf(fullMethod, rpc)
	c := &clientCall{}
	defer func() {
		if below == nil { // a hook or the tracer did not return
			c.unwound(recover())
		}
	}()
	c.client = c
	c.cfg, c.method, c.kind, c.base = cl.cfg, m, rpc|clientSide, ctx
	parent := rpcspan.Active(ctx)
	before := sentWith(ctx)
	if !cl.cfg.traces(&c.Span, ctx, m, c.kind, req) {
		if parent.IsValid() && cl.cfg.propagates(&c.Span, ctx, fullMethod) {
			ctx = c.inject(ctx, before, t, &parent)
		}
		return nil, ctx
	}
	c.cc = cc
	if rpc.streaming() {
		c.calledStream = &calledStream{}
		c.stream = &c.counts
	}
	if c.start(t, cl.cfg.kind, &parent) {
		l := rpcspan.Tags{Span: &c.Span, Vocabulary: cl.cfg.semconv, UserKeys: cl.cfg.taken}
		c.describe(&l)
		l.Flush()
	}
	if !cl.cfg.propagates(&c.Span, ctx, fullMethod) {
		return c, c.context()
	}
	self := c.Span.Parent()
	return c, c.inject(c.context(), before, t, &self)
}

package grpcmw

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/woven"
)

// The functions wovenServerOptions and wovenDialOptions are called by code that is woven into grpc: see
// orchestrion.yml. They add the interceptors to every server and connection. Those that the program installs by hand
// count for more, because they have options.
//
// On a server the woven interceptors are the first of the chain, so that they see what others refuse. If one installed
// by hand is further in, the span of the first RPC that reaches it is discarded, unseen, the interceptor traces the RPC
// as if there were no woven code, and from then on the server is left alone. On a connection they are the last of the
// chain, so that those installed by hand always come first.

// wovenServerOptions returns the options of a server that the program makes with opts.
func wovenServerOptions(opts []grpc.ServerOption) []grpc.ServerOption {
	return append(ServerOptions(nil, wovenInto(new(wovenPart))), opts...)
}

// wovenDialOptions returns the options of a connection that the program makes with opts.
func wovenDialOptions(opts []grpc.DialOption) []grpc.DialOption {
	return append(slices.Clip(opts), DialOptions(nil, wovenInto(new(wovenPart)))...)
}

// wovenPart is what the woven interceptors of one server or connection share.
type wovenPart struct {
	byHand atomic.Bool // interceptors installed by hand have been found further in
}

func wovenInto(p *wovenPart) Option { return option(func(c *config) { c.woven = p }) }

// decidedKey finds the full method of an RPC that an interceptor installed by hand has decided not to trace.
type decidedKey struct{ client bool }

// decided returns ctx for an RPC that has no span by decision, so that woven interceptors further in leave it alone.
func (c *config) decided(ctx context.Context, fullMethod string) context.Context {
	if !c.marksDecision(ctx) {
		return ctx
	}
	return context.WithValue(ctx, decidedKey{c.client}, fullMethod)
}

// marksDecision reports whether decided returns another context than ctx.
func (c *config) marksDecision(ctx context.Context) bool { return woven.Active() && !quiet.Is(ctx) }

func (c *config) isDecided(ctx context.Context, fullMethod string) bool {
	method, ok := ctx.Value(decidedKey{c.client}).(string)
	return ok && method == fullMethod
}

// yields is called by a server's interceptor before anything else. It reports whether a woven one is to leave the RPC
// alone. If one installed by hand finds that a woven one traces the RPC so far, it ends that, for this RPC and for
// those that the server gets in future.
func (c *config) yields(ctx context.Context, fullMethod string) bool {
	outer := servedCall(ctx, fullMethod)
	if c.woven != nil {
		return c.woven.byHand.Load() || outer != nil || c.isDecided(ctx, fullMethod)
	}
	if outer != nil && outer.cfg.woven != nil {
		outer.cfg.woven.byHand.Store(true)
		outer.discard()
	}
	return false
}

// yieldsCall reports whether a woven interceptor of a connection is to leave the RPC alone.
func (c *config) yieldsCall(ctx context.Context, fullMethod string, opts []grpc.CallOption) bool {
	return c.woven != nil && (outerCall(opts, fullMethod) != nil || c.isDecided(ctx, fullMethod))
}

// answer is what only the last interceptor before gRPC can read.
type answer struct {
	remote  peer.Peer
	trailer metadata.MD
}

// pass makes a unary RPC that has no span of this interceptor. A woven interceptor is the last one before gRPC, in the
// place of the one installed by hand that traces the RPC, so it forwards what can be read only there.
func (c *config) pass(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker,
	opts []grpc.CallOption,
) error {
	var outer *clientCall
	if c.woven != nil {
		outer = outerCall(opts, method)
	}
	if outer == nil || !c.invokers.isTransport(invoker) {
		return invoker(ctx, method, req, reply, cc, opts...)
	}
	a := new(answer)
	opts = append(slices.Clip(opts), grpc.Peer(&a.remote), grpc.Trailer(&a.trailer))
	err := invoker(ctx, method, req, reply, cc, opts...)
	outer.forwarded.Store(a)
	return err
}

// readForwarded reads the answer that woven code has forwarded, and reports whether there is one.
func (c *clientCall) readForwarded() bool {
	a := c.forwarded.Load()
	if a != nil {
		c.remote, c.trailer = a.remote, a.trailer
	}
	return a != nil
}

// wovenBase is the context of an RPC that woven code traces, as it came. It is found again, below what the tracer adds,
// when the span is discarded.
type wovenBase struct{ context.Context }

type wovenBaseKey struct{}

func (b wovenBase) Value(key any) any {
	if key == (wovenBaseKey{}) {
		return b.Context
	}
	return b.Context.Value(key)
}

// originOf returns the context that a wovenBase has, or else ctx.
func originOf(ctx context.Context) context.Context {
	if origin, ok := ctx.Value(wovenBaseKey{}).(context.Context); ok {
		return origin
	}
	return ctx
}

// discard ends the RPC without recording it.
func (c *call) discard() {
	c.span.Discard()
	if c.ended.CompareAndSwap(false, true) && c.stream != nil && c.stream.checkpoints != nil {
		c.stream.checkpoints.stop()
	}
}

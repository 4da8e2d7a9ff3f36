package grpcmw

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/spanloom/spanloom/internal/proflabel"
	"github.com/spanloom/spanloom/internal/rpcmeta"
)

// clientCall is a call that this process makes. It is also a call option of its own RPC, which marks that the RPC is
// traced.
type clientCall struct {
	call
	grpc.EmptyCallOption
	*clientStreamState                    // nil for a unary RPC
	optionBuf          [2]grpc.CallOption // saves an allocation
	cc                 *grpc.ClientConn   // nil for channels that are not gRPC's

	out      rpcmeta.Outgoing // what is sent: the caller's own metadata, if any, and what is injected
	dropped  int32            // keys that gRPC could not send, or that were too much
	answered bool             // remote and trailer are what the server sent
	remote   peer.Peer
	trailer  metadata.MD // read only if the trace id trailer is wanted

	forwarded atomic.Pointer[answer] // by woven code further in; nil if there is none
}

// outerCall returns the call of the next interceptor further out that makes this very RPC, or nil. An RPC to another
// method, such as one that fetches a token, is another one even if it is made with the same options.
func outerCall(opts []grpc.CallOption, fullMethod string) *clientCall {
	for _, o := range slices.Backward(opts) {
		if c, ok := o.(*clientCall); ok && c.method.full == fullMethod {
			return c
		}
	}
	return nil
}

// options returns opts with the call itself and, if only gRPC is below, the options by which gRPC returns the peer and
// the trailer. An interceptor in between may make several attempts at a time, which would all write there.
func (c *clientCall) options(opts []grpc.CallOption, direct bool) []grpc.CallOption {
	opts = append(append(c.optionBuf[:0], opts...), c)
	if !direct {
		return opts
	}
	opts = append(opts, grpc.Peer(&c.remote))
	if c.cfg.traceIDTrailer != "" {
		opts = append(opts, grpc.Trailer(&c.trailer))
	}
	return opts
}

// run calls invoke, which makes the RPC or opens its stream, with the observers and the profiling labels of the RPC. If
// invoke does not return, it ends the RPC.
func (c *clientCall) run(below context.Context, invoke func(below context.Context)) {
	returned := false
	defer func() {
		if !returned {
			c.endPanicked(recover())
		}
	}()
	if c.cfg.profilingLabels {
		var before proflabel.Labels
		below, before = c.profile(below)
		defer before.Restore()
	}
	c.observe(below)
	invoke(below)
	returned = true
}

// profile sets the profiling labels on the goroutine, and returns ctx with them and those of the goroutine before.
func (c *clientCall) profile(ctx context.Context) (labelled context.Context, before proflabel.Labels) {
	labelled, before = ctx, proflabel.Get()
	defer c.span.RecoverHook()
	return proflabel.Set(ctx, &c.span, c.name), before
}

// target returns what the connection was dialled with, "" without one.
func (c *clientCall) target() string {
	if c.cc == nil {
		return ""
	}
	return c.cc.Target()
}

package grpcmw

import (
	"context"
	"slices"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/internal/header"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// readOutgoing reads the metadata that the caller sends. gRPC returns a copy of all of it; there is no public function
// that reads one key in every version that the kit supports. Without metadata it costs nothing.
func (c *clientCall) readOutgoing(ctx context.Context) {
	if md, ok := metadata.FromOutgoingContext(ctx); ok {
		c.out.Own = md
	}
}

// inject returns ctx with from's context in its outgoing metadata, in place of the propagation keys that were there.
// Keys for which gRPC would fail the RPC are left out and counted. If the tracer fails, it returns ctx.
func (c *clientCall) inject(ctx context.Context, t opentracing.Tracer, from *rpcspan.Parent) (sent context.Context) {
	sent = ctx
	defer c.span.RecoverHook() // of a tracer that panics
	valid, err := from.Inject(t, &c.out)
	if err != nil {
		return ctx
	}
	if !valid {
		c.dropUnsendable(ctx)
	}
	c.fit(ctx)
	switch {
	case c.out.Own != nil:
		return metadata.NewOutgoingContext(ctx, c.out.Own)
	case len(c.out.Added()) > 0:
		return metadata.AppendToOutgoingContext(ctx, c.out.Added()...)
	}
	return ctx
}

// dropUnsendable deletes what a tracer injected and gRPC cannot send. The caller's own keys are kept, so that gRPC
// fails the RPC as it would without the kit. ctx has the caller's metadata.
func (c *clientCall) dropUnsendable(ctx context.Context) {
	if c.out.Own == nil {
		added := c.out.Added()
		sendable := added[:0]
		for i := 0; i < len(added); i += 2 {
			if key, value := added[i], added[i+1]; header.IsKey(key) && header.IsKeyValue(key, value) {
				sendable = append(sendable, key, value)
			} else {
				c.dropped++
			}
		}
		c.out.SetAdded(sendable)
		return
	}
	injected := unsendable(c.out.Own)
	if len(injected) == 0 {
		return
	}
	before, _ := metadata.FromOutgoingContext(ctx)
	callers := unsendable(before)
	for _, key := range injected {
		if !slices.Contains(callers, key) {
			delete(c.out.Own, key)
			c.dropped++
		}
	}
}

// unsendable returns the keys for which gRPC would fail an RPC.
func unsendable(md metadata.MD) (keys []string) {
	for k, vs := range md {
		if !header.IsKey(k) || slices.ContainsFunc(vs, func(v string) bool { return !header.IsKeyValue(k, v) }) {
			keys = append(keys, k)
		}
	}
	return keys
}

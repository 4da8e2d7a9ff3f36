package grpcmw

import (
	"context"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// inject returns ctx with from's context in its outgoing metadata, in place of whatever propagation keys were there. before
// is that metadata, nil if there is none. Keys for which gRPC would fail the RPC are left out and counted.
func (c *clientCall) inject(ctx context.Context, before *rawMD, t opentracing.Tracer, from *rpcspan.Parent) context.Context {
	p := rpcspan.Propagator(t)
	if sc, ok := from.Jaeger(); ok && p != nil && !before.has(p.Manages) {
		return c.add(ctx, before, p.AppendPairs(c.room[:0], sc))
	}
	if before == nil {
		return c.add(ctx, nil, c.foreignPairs(t, from))
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	lawful, err := from.Inject(t, carrier.Multi(md))
	if err != nil {
		return ctx
	}
	if !lawful {
		c.dropInjected(md, ctx)
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// add returns ctx with pairs more in its outgoing metadata.
func (c *clientCall) add(ctx context.Context, before *rawMD, kv []string) context.Context {
	switch {
	case len(kv) == 0:
		return ctx
	case outgoing.box == nil:
		return metadata.AppendToOutgoingContext(ctx, kv...)
	case before != nil:
		c.sends = rawMD{before.md, append(slices.Clip(before.added), kv)}
	default:
		c.list[0] = kv
		c.sends.added = c.list[:]
	}
	return c.context()
}

// foreignPairs is what a tracer of another kind injects.
func (c *clientCall) foreignPairs(t opentracing.Tracer, from *rpcspan.Parent) []string {
	w := &pairs{}
	if _, err := from.Inject(t, w); err != nil {
		return nil
	}
	c.dropped += w.dropped
	return w.kv
}

// dropInjected deletes what gRPC cannot send, but for the caller's own, which is for gRPC to complain of.
func (c *clientCall) dropInjected(md metadata.MD, ctx context.Context) {
	bad := unsendable(md)
	if bad == nil {
		return
	}
	before, _ := metadata.FromOutgoingContext(ctx)
	callers := unsendable(before)
	for _, key := range bad {
		if !slices.Contains(callers, key) {
			delete(md, key)
			c.dropped++
		}
	}
}

// pairs collects what a tracer injects and leaves out what gRPC cannot send.
type pairs struct {
	kv      []string
	dropped int32
}

// Set implements opentracing.TextMapWriter.
func (w *pairs) Set(key, value string) {
	key = strings.ToLower(key)
	if !validKey(key) || !validValue(key, value) {
		w.dropped++
		return
	}
	for i := 0; i < len(w.kv); i += 2 {
		if w.kv[i] == key {
			w.kv[i+1] = value
			return
		}
	}
	w.kv = append(w.kv, key, value)
}

// unsendable lists the keys for which gRPC would fail an RPC.
func unsendable(md metadata.MD) (keys []string) {
	for k, vs := range md {
		if !validKey(k) || slices.ContainsFunc(vs, func(v string) bool { return !validValue(k, v) }) {
			keys = append(keys, k)
		}
	}
	return keys
}

func validKey(key string) bool {
	for i := 0; i < len(key); i++ {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return key != ""
}

func validValue(key, value string) bool {
	if strings.HasSuffix(key, "-bin") {
		return true
	}
	for i := 0; i < len(value); i++ {
		if value[i] < 0x20 || value[i] > 0x7e {
			return false
		}
	}
	return true
}

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

// readOutgoing reads the metadata that the caller sends. gRPC returns a copy of all of it; there is no public function
// that reads one key in every version that the kit supports. Without metadata it costs nothing.
func (c *clientCall) readOutgoing(ctx context.Context) {
	c.own, _ = metadata.FromOutgoingContext(ctx)
}

// inject returns ctx with from's context in its outgoing metadata, in place of the propagation keys that were there.
// Keys for which gRPC would fail the RPC are left out and counted.
func (c *clientCall) inject(ctx context.Context, t opentracing.Tracer, from *rpcspan.Parent) context.Context {
	defer c.span.RecoverHook() // of a tracer that panics
	p := rpcspan.Propagator(t)
	sc, ok := from.Jaeger()
	switch {
	case ok && p != nil && !hasKey(c.own, p.Manages):
		var two [4]string // the pairs of two formats
		return c.addPairs(ctx, p.AppendPairs(two[:0], sc))
	case c.own == nil:
		return c.addPairs(ctx, c.foreignPairs(t, from))
	}
	return c.replace(ctx, t, from)
}

// addPairs returns ctx with more pairs in its outgoing metadata. The caller's metadata has none of their keys.
func (c *clientCall) addPairs(ctx context.Context, pairs []string) context.Context {
	pairs = c.fit(pairs)
	switch {
	case len(pairs) == 0:
		return ctx
	case c.own == nil:
		return metadata.AppendToOutgoingContext(ctx, pairs...)
	}
	values := c.values[:0]
	for i := 0; i < len(pairs); i += 2 {
		values = append(values, pairs[i+1])
		c.own[pairs[i]] = values[len(values)-1 : len(values) : len(values)]
	}
	return metadata.NewOutgoingContext(ctx, c.own)
}

// replace returns ctx with the caller's metadata, in which the tracer has written its own.
func (c *clientCall) replace(ctx context.Context, t opentracing.Tracer, from *rpcspan.Parent) context.Context {
	callers := unsendable(c.own)
	valid, err := from.Inject(t, carrier.Multi(c.own))
	if err != nil {
		return ctx
	}
	if !valid {
		c.dropUnsendable(callers)
	}
	if metadataSize(c.own)+c.restSize() > maxHeaderList {
		before, _ := metadata.FromOutgoingContext(ctx)
		c.fitReplaced(c.own, before)
	}
	return metadata.NewOutgoingContext(ctx, c.own)
}

// foreignPairs returns what a tracer of another kind injects.
func (c *clientCall) foreignPairs(t opentracing.Tracer, from *rpcspan.Parent) []string {
	w := &pairWriter{}
	if _, err := from.Inject(t, w); err != nil {
		return nil
	}
	c.dropped += w.dropped
	return w.pairs
}

// dropUnsendable deletes what a tracer injected and gRPC cannot send. The caller's own keys are kept, so that gRPC
// fails the RPC as it would without the kit.
func (c *clientCall) dropUnsendable(callers []string) {
	for _, key := range unsendable(c.own) {
		if !slices.Contains(callers, key) {
			delete(c.own, key)
			c.dropped++
		}
	}
}

// hasKey reports whether any key satisfies match.
func hasKey(md metadata.MD, match func(key string) bool) bool {
	for key := range md {
		if match(key) {
			return true
		}
	}
	return false
}

// pairWriter collects what a tracer injects and leaves out what gRPC cannot send.
type pairWriter struct {
	pairs   []string
	dropped int32
}

// Set implements [opentracing.TextMapWriter].
func (w *pairWriter) Set(key, value string) {
	key = strings.ToLower(key)
	if !validKey(key) || !validValue(key, value) {
		w.dropped++
		return
	}
	for i := 0; i < len(w.pairs); i += 2 {
		if w.pairs[i] == key {
			w.pairs[i+1] = value
			return
		}
	}
	w.pairs = append(w.pairs, key, value)
}

// unsendable returns the keys for which gRPC would fail an RPC.
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

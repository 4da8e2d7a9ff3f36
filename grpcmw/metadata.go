package grpcmw

import (
	"context"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
)

// incoming is the metadata of a request as a carrier. Reading single keys is cheap, walking over all copies them.
type incoming struct{ ctx context.Context }

// Values returns the values of a key in lower case.
func (in incoming) Values(key string) []string {
	return metadata.ValueFromIncomingContext(in.ctx, key)
}

// ForeachKey implements opentracing.TextMapReader.
func (in incoming) ForeachKey(handler func(key, value string) error) error {
	md, _ := metadata.FromIncomingContext(in.ctx)
	return carrier.Multi(md).ForeachKey(handler)
}

// inject returns ctx with sc in its outgoing metadata, in place of whatever propagation keys were there, and how
// many keys were left out because gRPC would have failed the RPC for them.
func inject(ctx context.Context, t opentracing.Tracer, sc opentracing.SpanContext) (_ context.Context, dropped int) {
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		var w pairs
		if err := t.Inject(sc, opentracing.HTTPHeaders, &w); err != nil || len(w.kv) == 0 {
			return ctx, w.dropped
		}
		return metadata.AppendToOutgoingContext(ctx, w.kv...), w.dropped
	}
	callers := unsendable(md) // the caller's own, for gRPC to complain of
	if err := t.Inject(sc, opentracing.HTTPHeaders, carrier.Multi(md)); err != nil {
		return ctx, 0
	}
	for _, key := range unsendable(md) {
		if !slices.Contains(callers, key) {
			delete(md, key)
			dropped++
		}
	}
	return metadata.NewOutgoingContext(ctx, md), dropped
}

// pairs collects what a tracer injects and leaves out what gRPC cannot send.
type pairs struct {
	kv      []string
	dropped int
}

// Set implements opentracing.TextMapWriter.
func (p *pairs) Set(key, value string) {
	key = strings.ToLower(key)
	if !validKey(key) || !validValue(key, value) {
		p.dropped++
		return
	}
	for i := 0; i < len(p.kv); i += 2 {
		if p.kv[i] == key {
			p.kv[i+1] = value
			return
		}
	}
	if p.kv == nil {
		p.kv = make([]string, 0, 8)
	}
	p.kv = append(p.kv, key, value)
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

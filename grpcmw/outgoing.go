package grpcmw

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
)

// inject returns ctx with what write puts into its outgoing metadata, in place of whatever propagation keys were there.
// Keys for which gRPC would fail the RPC are left out and counted in w.
func (w *pairs) inject(ctx context.Context, write func(headers any) (lawful bool, err error)) context.Context {
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		if _, err := write(w); err != nil || len(w.kv) == 0 {
			return ctx
		}
		return metadata.AppendToOutgoingContext(ctx, w.kv...)
	}
	lawful, err := write(carrier.Multi(md))
	if err != nil {
		return ctx
	}
	if !lawful {
		w.dropInjected(md, ctx)
	}
	return metadata.NewOutgoingContext(ctx, md)
}

// dropInjected deletes what gRPC cannot send, but for the caller's own, which is for gRPC to complain of.
func (w *pairs) dropInjected(md metadata.MD, ctx context.Context) {
	bad := unsendable(md)
	if bad == nil {
		return
	}
	before, _ := metadata.FromOutgoingContext(ctx)
	callers := unsendable(before)
	for _, key := range bad {
		if !slices.Contains(callers, key) {
			delete(md, key)
			w.dropped++
		}
	}
}

// pairs collects what a tracer injects and leaves out what gRPC cannot send.
type pairs struct {
	kv      []string
	room    [4]string // for kv, saves an allocation with two formats
	lawful  bool      // the tracer sets lower-case keys and legal values
	dropped int32
}

// Set implements opentracing.TextMapWriter.
func (w *pairs) Set(key, value string) {
	if !w.lawful {
		key = strings.ToLower(key)
		if !validKey(key) || !validValue(key, value) {
			w.dropped++
			return
		}
	}
	for i := 0; i < len(w.kv); i += 2 {
		if w.kv[i] == key {
			w.kv[i+1] = value
			return
		}
	}
	if w.kv == nil {
		w.kv = w.room[:0]
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

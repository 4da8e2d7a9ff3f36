package rpcspan

import (
	"context"

	"github.com/opentracing/opentracing-go"
)

// activeKey is the key under which opentracing-go stores the active span in a context. The key is private, so it is
// recorded from a look-up. A context that answers for this key itself saves the allocation that
// [opentracing.ContextWithSpan] makes.
var activeKey = ContextKeyOf(func(ctx context.Context) { opentracing.SpanFromContext(ctx) })

// ContextKeyOf returns the last key that read looks up in the context that it is called with, or nil.
func ContextKeyOf(read func(context.Context)) any {
	r := &keyRecorder{Context: context.Background()}
	read(r)
	return r.key
}

type keyRecorder struct {
	context.Context
	key any
}

func (r *keyRecorder) Value(key any) any {
	r.key = key
	return nil
}

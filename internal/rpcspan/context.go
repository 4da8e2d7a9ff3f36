package rpcspan

import (
	"context"

	"github.com/opentracing/opentracing-go"
)

// activeKey is the key under which opentracing-go keeps the active span. It is private there, so it is learned by
// asking; a context that answers to it itself saves the allocation of opentracing.ContextWithSpan.
var activeKey = LearnKey(func(ctx context.Context) { opentracing.SpanFromContext(ctx) })

// LearnKey returns the key that read asks a context for.
func LearnKey(read func(context.Context)) any {
	l := &listener{Context: context.Background()}
	read(l)
	return l.key
}

type listener struct {
	context.Context
	key any
}

func (l *listener) Value(key any) any {
	l.key = key
	return nil
}

// Package proflabel puts the pprof labels of a span on the running goroutine for a while, beside those that it has.
//
// A goroutine may have labels that the context of a request lacks: it inherits those of the goroutine that started it,
// such as the one that called [net/http.Server.Serve], and a handler may call another service with a context of its
// own. Package pprof can neither read nor restore the labels of a goroutine, so that this package links to the runtime.
package proflabel

import (
	"context"
	"reflect"
	"runtime/pprof"
	"sync"
	"unsafe"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// runtime_getProfLabel and runtime_setProfLabel are functions of the runtime that it keeps for packages which link to
// them: https://go.dev/issue/67401. The labels are immutable, so that a pointer to them can be kept.
//
//go:linkname runtime_getProfLabel runtime/pprof.runtime_getProfLabel
func runtime_getProfLabel() unsafe.Pointer

//go:linkname runtime_setProfLabel runtime/pprof.runtime_setProfLabel
func runtime_setProfLabel(labels unsafe.Pointer)

// Labels are the labels that a goroutine had.
type Labels struct{ pointer unsafe.Pointer }

// Get returns the labels of the running goroutine.
func Get() Labels { return Labels{runtime_getProfLabel()} }

// Restore sets the labels on the running goroutine, in place of those that it has.
func (l Labels) Restore() { runtime_setProfLabel(l.pointer) }

// contextKey and contextType are the key and the type of the labels in a context, which are private to package pprof.
var (
	contextKey  = rpcspan.ContextKeyOf(func(ctx context.Context) { pprof.Label(ctx, "") })
	contextType = reflect.TypeOf(pprof.WithLabels(context.Background(), pprof.Labels("", "")).Value(contextKey))
)

// Set puts the labels trace_id, span_id and span_name on the running goroutine, and returns ctx with all labels that
// the goroutine has then. Ids that are not known have no label. Without a span it has no effect. The caller restores
// the labels that [Get] has returned before.
func Set(ctx context.Context, s *rpcspan.Span, name string) context.Context {
	span := s.OpenTracingSpan()
	if span == nil {
		return ctx
	}
	labels := pprof.Labels("span_name", name)
	sc := span.Context()
	if trace, id := carrier.TraceID(sc), carrier.SpanID(sc); trace != "" && id != "" {
		labels = pprof.Labels("span_id", id, "span_name", name, "trace_id", trace)
	}
	ctx = pprof.WithLabels(inherit(ctx), labels)
	pprof.SetGoroutineLabels(ctx)
	return ctx
}

// layoutMatches reports whether pprof keeps labels behind one pointer, the same in a context and on a goroutine, which
// [inherit] relies on. With a Go that does not, spans have the labels of their context alone.
var layoutMatches = sync.OnceValue(func() bool {
	if contextType == nil || contextType.Kind() != reflect.Pointer {
		return false
	}
	defer Get().Restore()
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("k", "v"))
	pprof.SetGoroutineLabels(ctx)
	return reflect.ValueOf(ctx.Value(contextKey)).UnsafePointer() == runtime_getProfLabel()
})

// inherit returns ctx with the labels of the running goroutine added. Of two labels with one key that of ctx stays.
func inherit(ctx context.Context) context.Context {
	pointer := runtime_getProfLabel()
	if pointer == nil || !layoutMatches() {
		return ctx
	}
	inherited := labelled{ctx, reflect.NewAt(contextType.Elem(), pointer).Interface()}
	switch ctx.Value(contextKey) {
	case inherited.labels:
		return ctx
	case nil:
		return inherited
	}
	var pairs []string
	pprof.ForLabels(ctx, func(key, value string) bool {
		pairs = append(pairs, key, value)
		return true
	})
	return pprof.WithLabels(inherited, pprof.Labels(pairs...))
}

// labelled is a context with labels, as [pprof.WithLabels] makes them.
type labelled struct {
	context.Context
	labels any
}

func (l labelled) Value(key any) any {
	if key == contextKey {
		return l.labels
	}
	return l.Context.Value(key)
}

package engine

import (
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
)

// SetBaggage replaces the baggage of j, without the log that SetBaggageItem writes. The map must not change any more.
func SetBaggage(j *jaeger.Span, items map[string]string) (ok bool) {
	if !jaegerspan.LayoutMatches() {
		return false
	}
	s := jaegerspan.Fields(j)
	s.Lock()
	defer s.Unlock()
	s.Context.Baggage = items
	return true
}

// WithoutBaggage returns sc without its baggage, for those who keep it.
func WithoutBaggage(sc jaeger.SpanContext) jaeger.SpanContext { return WithBaggage(sc, nil) }

// WithBaggage returns sc with other baggage. The map must not change any more.
func WithBaggage(sc jaeger.SpanContext, items map[string]string) jaeger.SpanContext {
	if jaegerspan.LayoutMatches() {
		jaegerspan.ContextFields(&sc).Baggage = items
		return sc
	}
	for k := range Baggage(&sc) {
		if _, kept := items[k]; !kept {
			sc = sc.WithBaggageItem(k, "")
		}
	}
	for k, v := range items {
		sc = sc.WithBaggageItem(k, v)
	}
	return sc
}

// Baggage returns the baggage of sc, which must not be changed.
func Baggage(sc *jaeger.SpanContext) map[string]string {
	if jaegerspan.LayoutMatches() {
		return jaegerspan.ContextFields(sc).Baggage
	}
	items := map[string]string{}
	sc.ForeachBaggageItem(func(k, v string) bool {
		items[k] = v
		return true
	})
	return items
}

// AddReference adds a reference to j after its start, so that it does not change the parent: jaeger-client-go takes a
// lone FollowsFrom reference that a span starts with for its parent. It reports whether it could.
func AddReference(j *jaeger.Span, ref jaeger.Reference) (added bool) {
	if !jaegerspan.LayoutMatches() {
		return false
	}
	s := jaegerspan.Fields(j)
	s.Lock()
	defer s.Unlock()
	s.References = append(s.References, ref)
	return true
}

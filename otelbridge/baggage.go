package otelbridge

import (
	"context"
	"maps"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/baggage"

	"github.com/spanloom/spanloom/internal/engine"
)

// items returns the baggage of sc, which must not be changed.
func items(sc opentracing.SpanContext) map[string]string {
	switch sc := sc.(type) {
	case nil:
		return nil
	case jaeger.SpanContext:
		return engine.Baggage(&sc)
	case mocktracer.MockSpanContext:
		return sc.Baggage
	}
	found := map[string]string{}
	sc.ForeachBaggageItem(func(k, v string) bool {
		found[k] = v
		return true
	})
	return found
}

// baggage returns the baggage of s.
func (s *span) baggage() map[string]string {
	if s.jaeger != nil {
		sc := engine.ContextOf(s.jaeger)
		return engine.Baggage(&sc)
	}
	return items(s.ot.Context())
}

// takeBaggage makes OpenTelemetry's baggage in ctx that of s. If exact is set, items that are missing there are
// removed; it is set where ctx has shown all items of the span to OpenTelemetry before.
func (s *span) takeBaggage(ctx context.Context, exact bool) {
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 && !exact {
		return
	}
	own := s.baggage()
	if bag.Len() == 0 && len(own) == 0 {
		return
	}
	want := maps.Clone(own)
	if exact {
		want = hidden(own)
	}
	if want == nil {
		want = map[string]string{}
	}
	for _, m := range bag.Members() {
		want[m.Key()] = m.Value()
	}
	if maps.Equal(own, want) {
		return
	}
	if s.jaeger != nil && engine.SetBaggage(s.jaeger, want) {
		return
	}
	for k, v := range want {
		if own[k] != v {
			s.ot.SetBaggageItem(k, v)
		}
	}
}

// hidden returns the items that OpenTelemetry's baggage cannot hold.
func hidden(items map[string]string) map[string]string {
	shown := bagOf(items, baggage.Baggage{})
	rest := map[string]string{}
	for k, v := range items {
		if shown.Member(k).Key() == "" {
			rest[k] = v
		}
	}
	return rest
}

// baggageValue returns the baggage of s as the value that OpenTelemetry looks up in a context, or nil if s has none.
// Properties of items come from the baggage in ctx.
func (s *span) baggageValue(ctx context.Context) any {
	own := s.baggage()
	if len(own) == 0 {
		return nil
	}
	return baggage.ContextWithBaggage(context.Background(), bagOf(own, baggage.FromContext(ctx))).Value(baggageKey)
}

// bagOf returns items as OpenTelemetry's baggage. An item that is in base as well keeps its properties. What cannot be
// an item there, such as an empty key, is left out.
func bagOf(items map[string]string, base baggage.Baggage) (bag baggage.Baggage) {
	for k, v := range items {
		m := base.Member(k)
		if m.Key() == "" || m.Value() != v {
			var err error
			if m, err = baggage.NewMemberRaw(k, v); err != nil {
				continue
			}
		}
		if more, err := bag.SetMember(m); err == nil {
			bag = more
		}
	}
	return bag
}

// withBaggage returns sc, or a context without ids if it is nil, with OpenTelemetry's baggage in ctx.
func (b *Bridge) withBaggage(sc opentracing.SpanContext, ctx context.Context) opentracing.SpanContext {
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 {
		return sc
	}
	if sc == nil && !b.isMock() {
		sc = jaeger.NewSpanContext(jaeger.TraceID{}, 0, 1, false, nil)
	}
	own := items(sc)
	for _, m := range bag.Members() {
		if v, ok := own[m.Key()]; ok && v == m.Value() {
			continue
		}
		switch c := sc.(type) {
		case jaeger.SpanContext:
			sc = c.WithBaggageItem(m.Key(), m.Value())
		case mocktracer.MockSpanContext:
			sc = c.WithBaggageItem(m.Key(), m.Value())
		}
	}
	return sc
}

// withItems returns ctx with the baggage of sc for OpenTelemetry.
func withItems(ctx context.Context, sc opentracing.SpanContext) context.Context {
	own := items(sc)
	if len(own) == 0 {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, bagOf(own, baggage.FromContext(ctx)))
}

package otelbridge

import (
	"context"
	"maps"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

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

// takeBaggage makes OpenTelemetry's baggage in ctx that of s, see [merged], and returns what s has then. own is what it
// has before.
func (s *span) takeBaggage(ctx context.Context, seen *span, own map[string]string) map[string]string {
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 && (seen == nil || len(own) == 0) {
		return own
	}
	want := merged(own, bag, seen)
	if maps.Equal(own, want) || s.jaeger != nil && engine.SetBaggage(s.jaeger, want) {
		return want
	}
	for k, v := range want {
		if own[k] != v {
			s.ot.SetBaggageItem(k, v)
		}
	}
	return want
}

// merged returns the items of own, which OpenTracing knows, together with OpenTelemetry's baggage in a context. If they
// differ, OpenTelemetry's baggage wins, but for what OpenTracing code has changed since OpenTelemetry looked: seen is
// the span whose items it has seen in the context, or nil. Of these, items that the baggage lacks were removed.
func merged(own map[string]string, bag baggage.Baggage, seen *span) map[string]string {
	want := maps.Clone(own)
	if want == nil {
		want = map[string]string{}
	}
	var shown map[string]string
	if seen != nil {
		seen.mu.Lock()
		shown = seen.shown
		seen.mu.Unlock()
	}
	for k, v := range own {
		before, was := shown[k]
		if was && before == v && bag.Member(k).Key() == "" && representable(k, v) {
			delete(want, k)
		}
	}
	for _, m := range bag.Members() {
		if before, was := shown[m.Key()]; was && before == m.Value() {
			continue // as it was, unless OpenTracing code has changed it
		}
		want[m.Key()] = m.Value()
	}
	return want
}

// representable reports whether OpenTelemetry's baggage can hold an item.
func representable(key, value string) bool {
	_, err := baggage.NewMemberRaw(key, value)
	return err == nil
}

// baggageValue returns the baggage of s as the value that OpenTelemetry looks up in a context, or nil if s has none.
// Properties of items come from the baggage in ctx, or from the caller.
func (s *span) baggageValue(ctx context.Context) any {
	own := s.baggage()
	if len(own) == 0 {
		return nil
	}
	s.mu.Lock()
	s.shown = own
	s.mu.Unlock()
	var sc opentracing.SpanContext
	if s.jaeger != nil {
		sc = engine.ContextOf(s.jaeger)
	} else {
		sc = s.ot.Context()
	}
	bag := s.bridge.bagOf(own, sc, baggage.FromContext(ctx))
	return baggage.ContextWithBaggage(context.Background(), bag).Value(baggageKey)
}

// bagOf returns the items of sc as OpenTelemetry's baggage. An item that is in base as well keeps its properties. What
// cannot be an item there, such as an empty key, is left out.
func (b *Bridge) bagOf(
	items map[string]string, sc opentracing.SpanContext, base baggage.Baggage,
) (bag baggage.Baggage) {
	for k, v := range items {
		m := base.Member(k)
		if m.Key() == "" || m.Value() != v {
			var err error
			if m, err = baggage.NewMemberRaw(k, v, b.properties(sc, k, v)...); err != nil {
				continue
			}
		}
		if more, err := bag.SetMember(m); err == nil {
			bag = more
		}
	}
	return bag
}

// properties returns the properties that a caller has sent with an item.
func (b *Bridge) properties(sc opentracing.SpanContext, key, value string) []baggage.Property {
	j, ok := sc.(jaeger.SpanContext)
	if !ok || b.propagator == nil {
		return nil
	}
	text := b.propagator.BaggageProperties(j, key, value)
	if text == "" {
		return nil
	}
	bag, err := baggage.Parse("k=v;" + text)
	if err != nil {
		return nil
	}
	return bag.Member("k").Properties()
}

// withBaggage returns sc, or a context without ids if it is nil, with OpenTelemetry's baggage in ctx, see [merged].
func (b *Bridge) withBaggage(sc opentracing.SpanContext, ctx context.Context, seen *span) opentracing.SpanContext {
	bag := baggage.FromContext(ctx)
	own := items(sc)
	if bag.Len() == 0 && (seen == nil || len(own) == 0) {
		return sc
	}
	want := merged(own, bag, seen)
	if maps.Equal(own, want) {
		return sc
	}
	if sc == nil && !b.isMock() {
		sc = jaeger.NewSpanContext(jaeger.TraceID{}, 0, 1, false, nil)
	}
	switch c := sc.(type) {
	case jaeger.SpanContext:
		return engine.WithBaggage(c, want)
	case mocktracer.MockSpanContext:
		c.Baggage = want
		return c
	}
	return sc
}

// withItems returns ctx with the baggage of sc for OpenTelemetry.
func (b *Bridge) withItems(ctx context.Context, sc opentracing.SpanContext) context.Context {
	own := items(sc)
	if len(own) == 0 {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, b.bagOf(own, sc, baggage.FromContext(ctx)))
}

// sendProperties adds the properties of OpenTelemetry's baggage to the items of a baggage header, which the tracer has
// written without them. If the header gets too long, it stays as it is.
func sendProperties(bag baggage.Baggage, c propagation.TextMapCarrier) {
	const maxBytes = 8192 // of W3C Baggage
	var sent baggage.Baggage
	changed := false
	for _, m := range bag.Members() {
		if len(m.Properties()) == 0 {
			continue
		}
		if sent.Len() == 0 {
			var err error
			if sent, err = baggage.Parse(c.Get(baggageHeader)); err != nil {
				return
			}
		}
		if s := sent.Member(m.Key()); s.Key() == "" || s.Value() != m.Value() || s.String() == m.String() {
			continue
		}
		if more, err := sent.SetMember(m); err == nil {
			sent, changed = more, true
		}
	}
	if text := sent.String(); changed && len(text) <= maxBytes {
		c.Set(baggageHeader, text)
	}
}

const baggageHeader = "baggage"

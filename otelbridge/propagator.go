package otelbridge

import (
	"context"
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/spanloom/spanloom/carrier"
)

// propagator is the tracer's Inject and Extract for OpenTelemetry code.
type propagator struct{ bridge *Bridge }

// Fields returns the keys that Inject may set.
func (p propagator) Fields() []string { return slices.Clone(p.bridge.fields) }

// injectedKeys finds out what the tracer injects.
func (b *Bridge) injectedKeys() []string {
	made := opentracing.TextMapCarrier{}
	sc := jaeger.NewSpanContext(jaeger.TraceID{High: 1, Low: 1}, 1, 0, false, map[string]string{"k": "v"})
	if b.isMock() {
		_ = b.below.Inject(mocktracer.MockSpanContext{TraceID: 1, SpanID: 1}, opentracing.HTTPHeaders, made)
	} else {
		_ = b.below.Inject(sc, opentracing.HTTPHeaders, made)
	}
	keys := make([]string, 0, len(made)+1)
	for k := range made {
		if b.propagator == nil || k != "uberctx-k" {
			keys = append(keys, k)
		}
	}
	if _, w3c := made["traceparent"]; w3c {
		keys = append(keys, "tracestate")
	}
	slices.Sort(keys)
	return keys
}

// Inject writes the context of the active span, and the baggage, into c.
func (p propagator) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	parent := p.bridge.parentIn(ctx, false)
	sc := p.bridge.withBaggage(parent.context(), ctx, parent.shown)
	if sc == nil {
		return
	}
	_ = p.bridge.below.Inject(sc, opentracing.HTTPHeaders, carrierOf(c)) // as OpenTelemetry's, it cannot fail
	if bag := baggage.FromContext(ctx); bag.Len() > 0 {
		sendProperties(bag, c)
	}
}

// Extract returns ctx with the caller that c names as the active span of both APIs, and its baggage.
func (p propagator) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	b := p.bridge
	sc, err := b.below.Extract(opentracing.HTTPHeaders, carrierOf(c))
	if err != nil || sc == nil || b.keepsActive(ctx, sc) {
		return ctx
	}
	s := &span{bridge: b, ot: remoteSpan{opentracing.NoopTracer{}.StartSpan(""), b, sc}, remote: true, ctx: ctx}
	if !s.SpanContext().IsValid() {
		return b.withItems(ctx, sc)
	}
	return (*spanAsContext)(s)
}

// keepsActive reports whether the span that is active in ctx, if any, is nearer than the caller sc: it belongs to the
// same trace, or a middleware in front has read the same context and has not trusted it.
func (b *Bridge) keepsActive(ctx context.Context, sc opentracing.SpanContext) bool {
	id := traceID(sc)
	if s, ok := ctx.Value(caller).(*strangers); ok && (id == "" || id == traceID(s.sc)) {
		return true
	}
	if other := b.activeIn(ctx).other; other.IsRemote() && other.SpanID().String() == carrier.SpanID(sc) {
		return false // another propagator has read the same caller, and only OpenTelemetry code sees it
	}
	parent := b.parentIn(ctx, false)
	return id != "" && id == traceID(parent.context())
}

// traceID returns the trace id of sc as text, or "".
func traceID(sc opentracing.SpanContext) string {
	if mock, ok := sc.(mocktracer.MockSpanContext); ok && mock.TraceID != 0 {
		return otelContextOfMock(mock, false).TraceID().String()
	}
	return carrier.TraceID(sc)
}

// carrierOf returns c as a carrier of OpenTracing.
func carrierOf(c propagation.TextMapCarrier) any {
	switch c := c.(type) {
	case propagation.HeaderCarrier:
		return opentracing.HTTPHeadersCarrier(c)
	case propagation.MapCarrier:
		return opentracing.TextMapCarrier(c)
	}
	return textCarrier{c}
}

// textCarrier is any other carrier.
type textCarrier struct{ propagation.TextMapCarrier }

// usualKeys are read from a carrier that does not list its keys, as many do not: the propagators of OpenTelemetry never
// need them.
var usualKeys = []string{
	"traceparent", "tracestate", "baggage", "uber-trace-id", "jaeger-baggage", "jaeger-debug-id",
	"b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
}

// ForeachKey calls handler with all keys that the carrier lists and their values. A carrier may list a key for each of
// its values, as messages do.
func (t textCarrier) ForeachKey(handler func(k, v string) error) error {
	keys := t.Keys()
	if len(keys) == 0 {
		keys = usualKeys
	}
	for _, k := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		for _, v := range t.values(k) {
			if err := handler(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t textCarrier) values(key string) []string {
	if all, ok := t.TextMapCarrier.(propagation.ValuesGetter); ok {
		return all.Values(key)
	}
	if v := t.Get(key); v != "" {
		return []string{v}
	}
	return nil
}

// remoteSpan stands for the span of a caller: it records nothing, and is the parent of others.
type remoteSpan struct {
	opentracing.Span // a no-op
	bridge           *Bridge
	sc               opentracing.SpanContext
}

// Context returns the caller's context. A stock tracer of jaeger-client-go writes to the sampling state of a remote
// parent when a child starts, so that children which start in parallel need copies of it.
func (r remoteSpan) Context() opentracing.SpanContext {
	if _, ok := r.sc.(jaeger.SpanContext); !ok || r.bridge.engine != nil {
		return r.sc
	}
	made := opentracing.TextMapCarrier{}
	if err := r.bridge.below.Inject(r.sc, opentracing.TextMap, made); err != nil {
		return r.sc
	}
	if sc, err := r.bridge.below.Extract(opentracing.TextMap, made); err == nil {
		return sc
	}
	return r.sc
}

func (r remoteSpan) Tracer() opentracing.Tracer    { return r.bridge.hooked }
func (r remoteSpan) IsRecording() bool             { return false }
func (r remoteSpan) BaggageItem(key string) string { return items(r.sc)[key] }

package rpcspan

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// Inject writes the span's context into headers, a carrier for opentracing.HTTPHeaders. It is legal if all that was
// written can surely be sent. With a tracer of tracerinit the context needs no allocation.
func (s *Span) Inject(t opentracing.Tracer, headers any) (legal bool, err error) {
	if p := propagatorOf(t); p != nil && s.jaeger != nil {
		return true, p.Inject(s.jaeger.SpanContext(), headers)
	}
	return Inject(t, s.span.Context(), headers)
}

// Inject is Span.Inject for a context.
func Inject(t opentracing.Tracer, sc opentracing.SpanContext, headers any) (legal bool, err error) {
	return Lawful(t) || !mayHaveBaggage(sc), t.Inject(sc, opentracing.HTTPHeaders, headers)
}

// Lawful reports whether t writes nothing but legal headers: it has our propagator. Others make headers of any baggage,
// also of such that a remote caller made up.
func Lawful(t opentracing.Tracer) bool { return propagatorOf(t) != nil }

func propagatorOf(t opentracing.Tracer) *carrier.Propagator {
	if ours, ok := t.(interface{ Propagator() *carrier.Propagator }); ok {
		return ours.Propagator()
	}
	return nil
}

// mayHaveBaggage asks jaeger's contexts, for which that costs nothing, and is true for others.
func mayHaveBaggage(sc opentracing.SpanContext) (has bool) {
	j, ok := sc.(jaeger.SpanContext)
	if ok {
		j.ForeachBaggageItem(func(string, string) bool { has = true; return false })
	}
	return has || !ok
}

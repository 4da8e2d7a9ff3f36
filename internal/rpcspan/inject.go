package rpcspan

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// Inject writes the span's context into headers, a carrier for opentracing.HTTPHeaders. It is legal if all that was
// written can surely be sent. With a tracer of tracerinit the context needs no allocation.
func (s *Span) Inject(t opentracing.Tracer, headers any) (legal bool, err error) {
	if ours, ok := t.(interface{ Propagator() *carrier.Propagator }); ok && s.jaeger != nil {
		return true, ours.Propagator().Inject(s.jaeger.SpanContext(), headers)
	}
	return Inject(t, s.span.Context(), headers)
}

// Inject is Span.Inject for a context. Tracers without our propagator make headers of any baggage, also of such that a
// remote caller made up.
func Inject(t opentracing.Tracer, sc opentracing.SpanContext, headers any) (legal bool, err error) {
	return !mayHaveBaggage(sc), t.Inject(sc, opentracing.HTTPHeaders, headers)
}

// mayHaveBaggage asks jaeger's contexts, for which that costs nothing, and is true for others.
func mayHaveBaggage(sc opentracing.SpanContext) (has bool) {
	j, ok := sc.(jaeger.SpanContext)
	if ok {
		j.ForeachBaggageItem(func(string, string) bool { has = true; return false })
	}
	return has || !ok
}

package rpcspan

import (
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
)

// Inject writes the span's context into headers, a carrier for opentracing.HTTPHeaders. It is lawful if all that was
// written can surely be sent. With a tracer of tracerinit the context needs no allocation.
func (s *Span) Inject(t opentracing.Tracer, headers any) (lawful bool, err error) {
	if p := propagatorOf(t); p != nil && s.jaeger != nil {
		return true, p.Inject(s.jaeger.SpanContext(), headers)
	}
	return Inject(t, s.span.Context(), headers)
}

// Inject is Span.Inject for a context.
func Inject(t opentracing.Tracer, sc opentracing.SpanContext, headers any) (lawful bool, err error) {
	return Lawful(t), t.Inject(sc, opentracing.HTTPHeaders, headers)
}

// Lawful reports whether t writes nothing but legal headers: it has our propagator. Others make headers of any baggage,
// also of such that a remote caller made up.
func Lawful(t opentracing.Tracer) bool { return propagatorOf(t) != nil }

// propagatorOf returns the propagator of a tracer of tracerinit, but not of one that embeds it, which may do some things
// its own way.
func propagatorOf(t opentracing.Tracer) *carrier.Propagator {
	ours, ok := t.(interface {
		Is(opentracing.Tracer) bool
		Propagator() *carrier.Propagator
	})
	if !ok || !ours.Is(t) {
		return nil
	}
	return ours.Propagator()
}

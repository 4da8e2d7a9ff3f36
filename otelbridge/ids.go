package otelbridge

import (
	"encoding/binary"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/engine"
)

// parsedState is a tracestate as text and as OpenTelemetry wants it.
type parsedState struct {
	text  string
	state trace.TraceState
}

// traceState parses the tracestate of a trace. The last result is kept, since a process mostly gets one.
func (b *Bridge) traceState(sc jaeger.SpanContext) trace.TraceState {
	if b.propagator == nil {
		return trace.TraceState{}
	}
	text := b.propagator.TraceState(sc)
	if text == "" {
		return trace.TraceState{}
	}
	if last := b.state.Load(); last != nil && last.text == text {
		return last.state
	}
	state, _ := trace.ParseTraceState(text) // a malformed one is none
	b.state.Store(&parsedState{text, state})
	return state
}

// SpanContext returns the ids of the span. They are zero if the tracer has none that OpenTelemetry could show.
func (s *span) SpanContext() trace.SpanContext {
	if s.jaeger != nil {
		return s.bridge.otelContext(engine.ContextOf(s.jaeger), s.remote)
	}
	switch sc := s.ot.Context().(type) {
	case jaeger.SpanContext:
		return s.bridge.otelContext(sc, s.remote)
	case mocktracer.MockSpanContext:
		return otelContextOfMock(sc, s.remote)
	}
	return trace.SpanContext{}
}

func (b *Bridge) otelContext(sc jaeger.SpanContext, remote bool) trace.SpanContext {
	if !sc.IsValid() {
		return trace.SpanContext{}
	}
	c := trace.SpanContextConfig{Remote: remote, TraceState: b.traceState(sc)}
	id := sc.TraceID()
	binary.BigEndian.PutUint64(c.TraceID[:8], id.High)
	binary.BigEndian.PutUint64(c.TraceID[8:], id.Low)
	binary.BigEndian.PutUint64(c.SpanID[:], uint64(sc.SpanID()))
	if sc.IsSampled() {
		c.TraceFlags = trace.FlagsSampled
	}
	if b.propagator != nil && b.propagator.IsRandom(sc) {
		c.TraceFlags |= trace.FlagsRandom
	}
	return trace.NewSpanContext(c)
}

// otelContextOfMock shows the small numbers that mocktracer has for ids.
func otelContextOfMock(sc mocktracer.MockSpanContext, remote bool) trace.SpanContext {
	c := trace.SpanContextConfig{Remote: remote}
	binary.BigEndian.PutUint64(c.TraceID[8:], uint64(sc.TraceID))
	binary.BigEndian.PutUint64(c.SpanID[:], uint64(sc.SpanID))
	if sc.Sampled {
		c.TraceFlags = trace.FlagsSampled
	}
	return trace.NewSpanContext(c)
}

// contextOf returns sc as a context of the tracer, or nil if sc is not valid.
func (b *Bridge) contextOf(sc trace.SpanContext) opentracing.SpanContext {
	if !sc.IsValid() {
		return nil
	}
	if b.propagator != nil { // only Extract marks a context as that of a caller
		if made, err := b.below.Extract(opentracing.TextMap, w3cHeaders(sc)); err == nil {
			return made
		}
	}
	if b.isMock() {
		return mocktracer.MockSpanContext{
			TraceID: int(low64(sc.TraceID())), SpanID: int(spanID(sc)), Sampled: sc.IsSampled(),
		}
	}
	return jaegerContext(sc)
}

func w3cHeaders(sc trace.SpanContext) opentracing.TextMapCarrier {
	return opentracing.TextMapCarrier{
		"traceparent": "00-" + sc.TraceID().String() + "-" + sc.SpanID().String() + "-" + sc.TraceFlags().String(),
		"tracestate":  sc.TraceState().String(),
	}
}

func jaegerContext(sc trace.SpanContext) jaeger.SpanContext {
	raw := sc.TraceID()
	id := jaeger.TraceID{High: binary.BigEndian.Uint64(raw[:8]), Low: low64(raw)}
	return jaeger.NewSpanContext(id, spanID(sc), 0, sc.IsSampled(), nil)
}

func low64(id trace.TraceID) uint64 { return binary.BigEndian.Uint64(id[8:]) }

func spanID(sc trace.SpanContext) jaeger.SpanID {
	id := sc.SpanID()
	return jaeger.SpanID(binary.BigEndian.Uint64(id[:]))
}

// isMock reports whether the contexts of the tracer are those of mocktracer.
func (b *Bridge) isMock() bool {
	switch t := b.below.(type) {
	case *mocktracer.MockTracer:
		return true
	case interface{ Finished() []*mocktracer.MockSpan }: // package spantest
		return t != nil
	}
	return false
}

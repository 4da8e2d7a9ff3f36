package otelbridge

import (
	"context"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// hookedTracer is the tracer below with spans that OpenTelemetry sees, too. [opentracing.ContextWithSpan] calls its
// hook for each span whose Tracer it is.
type hookedTracer struct {
	opentracing.Tracer
	bridge *Bridge
}

var _ opentracing.TracerContextWithSpanExtension = (*hookedTracer)(nil)

// StartSpan implements [opentracing.Tracer].
func (t *hookedTracer) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	return t.bridge.view(t.Tracer.StartSpan(name, opts...))
}

// view returns a span around ot, which others finish.
func (b *Bridge) view(ot opentracing.Span) *span {
	s := &span{bridge: b, ot: ot, jaeger: engine.Under(ot)}
	s.remote = s.jaeger == nil && !s.records() // it only passes on the context of a caller
	return s
}

// ContextWithSpanHook returns ctx with what OpenTelemetry looks up to find s.
func (t *hookedTracer) ContextWithSpanHook(ctx context.Context, ot opentracing.Span) context.Context {
	s, ok := ot.(*span)
	if !ok {
		s = t.bridge.view(ot)
	}
	s.takeBaggage(ctx, nil, s.baggage())
	return s.contextIn(ctx)
}

// ContextWithStranger returns ctx with the caller of a request that has no span and whose caller is not trusted, so
// that [Bridge.Propagator] does not join the caller's trace.
func (t *hookedTracer) ContextWithStranger(ctx context.Context, sc opentracing.SpanContext) context.Context {
	return context.WithValue(ctx, caller, &strangers{sc: sc})
}

// Engine returns how the middlewares of this kit start and finish spans.
func (t *hookedTracer) Engine() *engine.Engine { return t.bridge.engine }

// Propagator returns what the tracer extracts and injects with, or nil.
func (t *hookedTracer) Propagator() *carrier.Propagator { return t.bridge.propagator }

// Unwrap returns the tracer that New was given.
func (t *hookedTracer) Unwrap() opentracing.Tracer { return t.Tracer }

// Unwrap returns the span below.
func (s *span) Unwrap() opentracing.Span { return s.ot }

// Tracer implements [opentracing.Span].
func (s *span) Tracer() opentracing.Tracer { return s.bridge.hooked }

// Context implements [opentracing.Span].
func (s *span) Context() opentracing.SpanContext { return s.ot.Context() }

// BaggageItem implements [opentracing.Span].
func (s *span) BaggageItem(key string) string { return s.ot.BaggageItem(key) }

// OperationName returns the current name, which the middlewares compare with the one they have given. It is empty if
// the span below keeps its own to itself.
func (s *span) OperationName() string {
	if named, ok := s.ot.(interface{ OperationName() string }); ok {
		return named.OperationName()
	}
	return ""
}

// change runs f unless the span has ended. Spans of test tracers are changed even then, since such tracers report it.
func (s *span) change(f func()) opentracing.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended || s.jaeger == nil {
		f()
	}
	return s
}

// SetTag implements [opentracing.Span].
func (s *span) SetTag(key string, value any) opentracing.Span {
	return s.change(func() { s.setTags([]opentracing.Tag{{Key: key, Value: value}}) })
}

// SetOperationName implements [opentracing.Span].
func (s *span) SetOperationName(name string) opentracing.Span {
	return s.change(func() { s.ot.SetOperationName(name) })
}

// SetBaggageItem implements [opentracing.Span].
func (s *span) SetBaggageItem(key, value string) opentracing.Span {
	return s.change(func() { s.ot.SetBaggageItem(key, value) })
}

// LogFields implements [opentracing.Span].
func (s *span) LogFields(fields ...log.Field) { s.change(func() { s.ot.LogFields(fields...) }) }

// LogKV implements [opentracing.Span].
func (s *span) LogKV(keyValues ...any) { s.change(func() { s.ot.LogKV(keyValues...) }) }

// LogEvent implements [opentracing.Span].
func (s *span) LogEvent(event string) { s.LogFields(log.Event(event)) }

// LogEventWithPayload implements [opentracing.Span].
func (s *span) LogEventWithPayload(event string, payload any) {
	s.LogFields(log.Event(event), log.Object("payload", payload))
}

// Log implements [opentracing.Span].
func (s *span) Log(data opentracing.LogData) { s.LogFields(data.ToLogRecord().Fields...) }

// Finish implements [opentracing.Span].
func (s *span) Finish() { s.FinishWithOptions(opentracing.FinishOptions{}) }

// FinishWithOptions implements [opentracing.Span]. Of a span of jaeger-client-go it has an effect once.
func (s *span) FinishWithOptions(opts opentracing.FinishOptions) {
	logs, first := s.end()
	if !first && s.jaeger != nil {
		return
	}
	opts.LogRecords = append(opts.LogRecords, logs...)
	if s.byEngine && len(opts.BulkLogData) == 0 {
		s.bridge.engine.Finish(s.jaeger, opts.FinishTime, opts.LogRecords, nil, nil)
		return
	}
	if opts.FinishTime.IsZero() && s.jaeger == nil { // mocktracer takes a zero time literally
		opts.FinishTime = time.Now()
	}
	s.ot.FinishWithOptions(opts)
}

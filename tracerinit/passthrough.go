package tracerinit

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
)

// startNoop returns a span that records nothing and carries on the context it would have been a child of. After
// Shutdown it counts as one that is lost, if it would have been sampled.
func (t *Tracer) startNoop(name string, options []opentracing.StartSpanOption) opentracing.Span {
	s := &noopSpan{tracer: t, context: parentContext(options)}
	if t.sampler != nil && t.closed.Load() {
		t.counts.started.Inc(1)
		s.late, s.sampled = true, t.wouldSample(name, s.context)
	}
	return s
}

func (t *Tracer) wouldSample(name string, parent opentracing.SpanContext) bool {
	if sc, ok := parent.(jaeger.SpanContext); ok && sc.IsValid() {
		return sc.IsSampled()
	}
	sampled, _ := t.sampler.IsSampled(jaeger.TraceID{High: rand.Uint64(), Low: rand.Uint64()}, name)
	return sampled
}

// parentContext is the parent that the options name, be it only baggage, or emptyContext.
func parentContext(options []opentracing.StartSpanOption) opentracing.SpanContext {
	var parent opentracing.SpanContext = emptyContext{}
	choose := func(r opentracing.SpanReference) (final bool) {
		if _, ok := r.ReferencedContext.(jaeger.SpanContext); !ok {
			return false
		}
		if _, none := parent.(emptyContext); none || r.Type == opentracing.ChildOfRef {
			parent = r.ReferencedContext
		}
		return r.Type == opentracing.ChildOfRef
	}
	for _, o := range options {
		switch o := o.(type) {
		case opentracing.SpanReference:
			if choose(o) {
				return parent
			}
		case interface {
			Reference() opentracing.SpanReference
		}:
			if choose(o.Reference()) {
				return parent
			}
		case nil, opentracing.Tag, opentracing.Tags, opentracing.StartTime:
		default:
			var all opentracing.StartSpanOptions
			o.Apply(&all)
			for _, r := range all.References {
				if choose(r) {
					return parent
				}
			}
		}
	}
	return parent
}

// emptyContext is the context of a span that has neither ids nor baggage. It is not that of jaeger-client-go, whose
// methods panic without a sampling state.
type emptyContext struct{}

func (emptyContext) ForeachBaggageItem(func(k, v string) bool) {}

// noopSpan is a span of a tracer that is disabled or shut down.
type noopSpan struct {
	tracer  *Tracer
	mu      sync.Mutex
	context opentracing.SpanContext // emptyContext or jaeger's

	late, sampled bool // started after Shutdown, and would have been sampled
	ended         atomic.Bool
}

var _ opentracing.Span = (*noopSpan)(nil)

func (s *noopSpan) Context() opentracing.SpanContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.context
}

// Finish counts the span if it is late.
func (s *noopSpan) Finish() {
	if !s.late || s.ended.Swap(true) {
		return
	}
	s.tracer.counts.finished.Inc(1)
	if s.sampled {
		s.tracer.fan.countLate()
	}
}

// FinishWithOptions is Finish.
func (s *noopSpan) FinishWithOptions(opentracing.FinishOptions) { s.Finish() }

func (s *noopSpan) SetBaggageItem(key, value string) opentracing.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc, ok := s.context.(jaeger.SpanContext); ok {
		s.context = sc.WithBaggageItem(key, value)
	}
	return s
}

func (s *noopSpan) BaggageItem(key string) (value string) {
	s.Context().ForeachBaggageItem(func(k, v string) bool {
		if k == key {
			value = v
		}
		return k != key
	})
	return value
}

// IsRecording is false, so that middlewares set no tags.
func (s *noopSpan) IsRecording() bool                        { return false }
func (s *noopSpan) Tracer() opentracing.Tracer               { return s.tracer }
func (s *noopSpan) SetOperationName(string) opentracing.Span { return s }
func (s *noopSpan) SetTag(string, any) opentracing.Span      { return s }
func (s *noopSpan) LogFields(...log.Field)                   {}
func (s *noopSpan) LogKV(...any)                             {}
func (s *noopSpan) LogEvent(string)                          {}
func (s *noopSpan) LogEventWithPayload(string, any)          {}
func (s *noopSpan) Log(opentracing.LogData)                  {}

package tracerinit

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
)

// pass returns a span that records nothing and carries on the context it would have been a child of. After Shutdown it
// counts as one that is lost, if it would have been sampled.
func (t *Tracer) pass(name string, options []opentracing.StartSpanOption) opentracing.Span {
	s := &passing{tracer: t, context: passedContext(options)}
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

// passedContext is the parent that the options name, be it only baggage, or noContext.
func passedContext(options []opentracing.StartSpanOption) opentracing.SpanContext {
	var parent opentracing.SpanContext = noContext{}
	choose := func(r opentracing.SpanReference) (final bool) {
		if _, ok := r.ReferencedContext.(jaeger.SpanContext); !ok {
			return false
		}
		if _, none := parent.(noContext); none || r.Type == opentracing.ChildOfRef {
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

// noContext is the context of a span that has neither ids nor baggage. It is not jaeger's, which panics when it is
// asked about its sampling.
type noContext struct{}

func (noContext) ForeachBaggageItem(func(k, v string) bool) {}

// passing is a span of a tracer that is disabled or shut down.
type passing struct {
	tracer  *Tracer
	mu      sync.Mutex
	context opentracing.SpanContext // noContext or jaeger's

	late, sampled bool // started after Shutdown, and would have been sampled
	ended         atomic.Bool
}

var _ opentracing.Span = (*passing)(nil)

func (s *passing) Context() opentracing.SpanContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.context
}

// Finish counts the span if it is late.
func (s *passing) Finish() {
	if !s.late || s.ended.Swap(true) {
		return
	}
	s.tracer.counts.finished.Inc(1)
	if s.sampled {
		s.tracer.fan.lose()
	}
}

// FinishWithOptions is Finish.
func (s *passing) FinishWithOptions(opentracing.FinishOptions) { s.Finish() }

func (s *passing) SetBaggageItem(key, value string) opentracing.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc, ok := s.context.(jaeger.SpanContext); ok {
		s.context = sc.WithBaggageItem(key, value)
	}
	return s
}

func (s *passing) BaggageItem(key string) (value string) {
	s.Context().ForeachBaggageItem(func(k, v string) bool {
		if k == key {
			value = v
		}
		return k != key
	})
	return value
}

// IsRecording tells middleware not to bother with tags.
func (s *passing) IsRecording() bool                        { return false }
func (s *passing) Tracer() opentracing.Tracer               { return s.tracer }
func (s *passing) SetOperationName(string) opentracing.Span { return s }
func (s *passing) SetTag(string, any) opentracing.Span      { return s }
func (s *passing) LogFields(...log.Field)                   {}
func (s *passing) LogKV(...any)                             {}
func (s *passing) LogEvent(string)                          {}
func (s *passing) LogEventWithPayload(string, any)          {}
func (s *passing) Log(opentracing.LogData)                  {}

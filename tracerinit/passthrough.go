package tracerinit

import (
	"sync"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
)

// pass returns a span that records nothing and carries on the context it would have been a child of.
func (t *Tracer) pass(options []opentracing.StartSpanOption) opentracing.Span {
	return &passing{tracer: t, context: passedContext(options)}
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
}

var _ opentracing.Span = (*passing)(nil)

func (s *passing) Context() opentracing.SpanContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.context
}

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
func (s *passing) IsRecording() bool                           { return false }
func (s *passing) Tracer() opentracing.Tracer                  { return s.tracer }
func (s *passing) SetOperationName(string) opentracing.Span    { return s }
func (s *passing) SetTag(string, any) opentracing.Span         { return s }
func (s *passing) LogFields(...log.Field)                      {}
func (s *passing) LogKV(...any)                                {}
func (s *passing) Finish()                                     {}
func (s *passing) FinishWithOptions(opentracing.FinishOptions) {}
func (s *passing) LogEvent(string)                             {}
func (s *passing) LogEventWithPayload(string, any)             {}
func (s *passing) Log(opentracing.LogData)                     {}

package rpcspan

import (
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
)

// discarder is a span that can be ended without being recorded.
type discarder interface{ Discard() }

// Discard ends the span so that nobody gets to see it: another one turned out to be that of the request. A span of
// jaeger-client-go is finished unsampled, which keeps the tracer's counters exact. OpenTracing has no way to drop
// a span but never to finish it, so those of other tracers are not finished, unless they have a method Discard.
// Discard has no effect on a span that is finished.
func (s *Span) Discard() {
	s.discarded.Store(true)
	if !s.TryFinish() {
		return
	}
	defer s.RecoverHook()
	if d, ok := s.span.(discarder); ok {
		d.Discard()
		return
	}
	if s.jaeger == nil {
		return
	}
	s.SetTag(string(ext.SamplingPriority), uint16(0))
	s.Finish(time.Time{}, []opentracing.LogRecord(nil), nil)
}

// Discarded reports whether [Span.Discard] was called.
func (s *Span) Discarded() bool { return s.discarded.Load() }

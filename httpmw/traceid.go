package httpmw

import (
	"net/http"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
)

// tellTrace sends the ids of the span in the header that WithTraceIDHeader names, if they are known.
func (s *request) tellTrace(h http.Header) {
	sc := s.span.OpenTracingSpan().Context()
	switch s.traceIDHeader {
	case "Traceresponse": // https://w3c.github.io/trace-context/#traceresponse-header
		if v := s.traceparent(sc); v != "" {
			h.Set(s.traceIDHeader, v)
		}
	case "Server-Timing": // a list, which others may have begun
		if v := s.traceparent(sc); v != "" {
			h.Add(s.traceIDHeader, `traceparent;desc="`+v+`"`)
		}
	default:
		if id := carrier.TraceID(sc); id != "" {
			h.Set(s.traceIDHeader, id)
		}
	}
}

// traceparent returns version 00 of what a traceparent would say. Contexts that cannot tell whether they are sampled
// are so if their span records.
func (s *request) traceparent(sc opentracing.SpanContext) string {
	trace, span := carrier.TraceID(sc), carrier.SpanID(sc)
	if trace == "" || span == "" {
		return ""
	}
	sampled := s.span.Recording()
	if known, ok := sc.(interface{ IsSampled() bool }); ok {
		sampled = known.IsSampled()
	}
	if sampled {
		return "00-" + trace + "-" + span + "-01"
	}
	return "00-" + trace + "-" + span + "-00"
}

package httpmw

import (
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
)

const (
	traceResponse = "Traceresponse" // https://w3c.github.io/trace-context/#traceresponse-header
	serverTiming  = "Server-Timing" // a list, to which others may add
)

// traceIDValue returns what the header that WithTraceIDHeader names says, or "" if the ids of the span are not known.
func (s *serverState) traceIDValue() string {
	sc := s.span.OpenTracingSpan().Context()
	switch s.traceIDHeader {
	case traceResponse:
		return s.traceparent(sc)
	case serverTiming:
		if v := s.traceparent(sc); v != "" {
			return `traceparent;desc="` + v + `"`
		}
		return ""
	}
	return carrier.TraceID(sc)
}

// traceparent returns version 00 of a traceparent. If the context does not say whether it is sampled, it is if its span
// records.
func (s *serverState) traceparent(sc opentracing.SpanContext) string {
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

// setTraceID sets the header before the handler runs.
func (o *response) setTraceID() {
	defer o.s.span.RecoverHook() // a writer may have no header
	switch {
	case o.header == nil:
	case o.s.traceIDHeader == serverTiming:
		o.inner.Header().Add(serverTiming, o.header.traceID)
	default:
		o.inner.Header().Set(o.s.traceIDHeader, o.header.traceID)
	}
}

// removeOtherTraceIDs leaves one trace id in the header: a reverse proxy adds the one of its backend. A handler that
// has replaced the value has its way.
func (o *response) removeOtherTraceIDs() {
	defer o.s.span.RecoverHook()
	h := o.inner.Header()
	values := h[o.s.traceIDHeader]
	if len(values) < 2 || !slices.Contains(values, o.header.traceID) {
		return
	}
	if o.s.traceIDHeader != serverTiming {
		h[o.s.traceIDHeader] = []string{o.header.traceID}
		return
	}
	kept := make([]string, 0, len(values))
	for _, v := range values {
		if v == o.header.traceID {
			kept = append(kept, v)
		} else if v = withoutTraceparent(v); v != "" {
			kept = append(kept, v)
		}
	}
	h[serverTiming] = kept
}

// withoutTraceparent returns a Server-Timing value without the metrics named traceparent.
func withoutTraceparent(value string) string {
	if !strings.Contains(value, "traceparent") {
		return value
	}
	var kept []string
	for metric := range metricsOf(value) {
		name, _, _ := strings.Cut(metric, ";")
		if strings.TrimSpace(name) != "traceparent" {
			kept = append(kept, strings.TrimSpace(metric))
		}
	}
	return strings.Join(kept, ", ")
}

// metricsOf splits a list at its commas, except those within quotes.
func metricsOf(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, start := false, 0
		for i := 0; i < len(value); i++ {
			switch {
			case value[i] == '\\' && quoted:
				i++
			case value[i] == '"':
				quoted = !quoted
			case value[i] == ',' && !quoted:
				if !yield(value[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(value[min(start, len(value)):])
	}
}

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func many(prefix string, n int) (kv []attribute.KeyValue) {
	for i := range n {
		kv = append(kv, attribute.Int(fmt.Sprint(prefix, i), i))
	}
	return kv
}

// overTheLimits are recordings that lose something to limits.
func overTheLimits() map[string]recording {
	long := strings.Repeat("aü", 40)
	return map[string]recording{
		"attributes":              {record: func(s trace.Span) { s.SetAttributes(many("k", 300)...) }},
		"attributes at the start": {start: []trace.SpanStartOption{trace.WithAttributes(many("k", 300)...)}},
		"attributes one by one": {record: func(s trace.Span) {
			for _, a := range many("k", 300) {
				s.SetAttributes(a)
			}
		}},
		"attributes again":         {record: func(s trace.Span) { s.SetAttributes(many("k", 300)...); s.SetAttributes(many("k", 200)...) }},
		"attributes, start, later": {start: []trace.SpanStartOption{trace.WithAttributes(many("k", 100)...)}, record: func(s trace.Span) { s.SetAttributes(many("l", 100)...) }},
		"invalid over the limit": {record: func(s trace.Span) {
			s.SetAttributes(append(many("k", 200), attribute.KeyValue{}, attribute.Int("k0", 7))...)
		}},
		"with kind and status": {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}, record: func(s trace.Span) {
			s.SetAttributes(many("k", 300)...)
			s.SetAttributes(withMeaning()...)
			s.SetStatus(codes.Error, "d")
		}},
		"meaning first": {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(withMeaning()...)}, record: func(s trace.Span) {
			s.SetAttributes(many("k", 300)...)
			s.SetStatus(codes.Error, "d")
		}},
		"events": {record: func(s trace.Span) {
			for i := range 300 {
				s.AddEvent(fmt.Sprint("e", i), when(time.Duration(i)))
			}
		}},
		"attributes of events": {record: func(s trace.Span) {
			s.AddEvent("e", when(1), trace.WithAttributes(many("k", 300)...))
			s.AddEvent("f", when(2), trace.WithAttributes(many("k", 2)...))
		}},
		"attributes of errors": {record: func(s trace.Span) { s.RecordError(custom{7}, when(1), trace.WithAttributes(many("k", 200)...)) }},
		"links": {record: func(s trace.Span) {
			for i := range 300 {
				s.AddLink(trace.Link{SpanContext: link.WithSpanID(trace.SpanID{1, byte(i / 256), byte(i)})})
			}
		}},
		"links of the start":  {start: []trace.SpanStartOption{trace.WithLinks(make300()...)}},
		"attributes of links": {record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link, Attributes: many("k", 300)}) }},
		"long values": {record: func(s trace.Span) {
			s.SetAttributes(attribute.String("s", long), attribute.StringSlice("l", []string{long, "short"}),
				attribute.KeyValue{Key: "b", Value: attribute.ByteSliceValue([]byte(long))},
				attribute.KeyValue{Key: "m", Value: attribute.MapValue(attribute.String("k", long))},
				attribute.KeyValue{Key: "v", Value: attribute.SliceValue(attribute.StringValue(long), attribute.IntValue(1))},
				attribute.String("error", long), attribute.String("short", "s"))
			s.SetStatus(codes.Error, long)
			s.SetName(long)
		}},
	}
}

func make300() (links []trace.Link) {
	for i := range 300 {
		links = append(links, trace.Link{SpanContext: link.WithSpanID(trace.SpanID{1, byte(i / 256), byte(i)})})
	}
	return links
}

// TestLimitsAreThoseOfTheSDK has the limits of the environment, which both read.
func TestLimitsAreThoseOfTheSDK(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"default":         nil,
		"attributes":      {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3"},
		"no attributes":   {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "0"},
		"more attributes": {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "250"},
		"events":          {"OTEL_SPAN_EVENT_COUNT_LIMIT": "2", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "1"},
		"more events":     {"OTEL_SPAN_EVENT_COUNT_LIMIT": "250", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "250"},
		"links":           {"OTEL_SPAN_LINK_COUNT_LIMIT": "2", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "1"},
		"more links":      {"OTEL_SPAN_LINK_COUNT_LIMIT": "250", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "250"},
		"values":          {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10"},
		"all values":      {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "5"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range variables {
				t.Setenv(k, v)
			}
			testSpansAreThoseOfTheSDK(t, overTheLimits())
		})
	}
}

package e2e

import (
	"math"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// values are attributes of all types, and such as are rare.
func values() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Bool("bool", true), attribute.Bool("false", false),
		attribute.Int64("int", -1), attribute.Int64("zero", 0), attribute.Int64("largest", math.MaxInt64), attribute.Int64("smallest", math.MinInt64),
		attribute.Float64("float", 0.5), attribute.Float64("NaN", math.NaN()), attribute.Float64("Inf", math.Inf(-1)),
		attribute.Float64("zero float", 0), attribute.Float64("negative zero", math.Copysign(0, -1)),
		attribute.String("string", "ü\x00\n"), attribute.String("empty", ""), attribute.String("long", strings.Repeat("ü", 4000)),
		attribute.BoolSlice("bools", []bool{true, false}), attribute.BoolSlice("no bools", []bool{}), attribute.BoolSlice("nil bools", nil),
		attribute.Int64Slice("ints", []int64{1, -2}), attribute.Int64Slice("no ints", []int64{}),
		attribute.Float64Slice("floats", []float64{1, math.Inf(1)}), attribute.Float64Slice("no floats", []float64{}),
		attribute.StringSlice("strings", []string{"a", ""}), attribute.StringSlice("no strings", []string{}), attribute.StringSlice("nil strings", nil),
		{Key: "bytes", Value: attribute.ByteSliceValue([]byte{0, 255})}, {Key: "no bytes", Value: attribute.ByteSliceValue([]byte{})},
		{Key: "nil bytes", Value: attribute.ByteSliceValue(nil)},
		{Key: "map", Value: attribute.MapValue(attribute.Int("k", 1), attribute.String("l", "m"))}, {Key: "no map", Value: attribute.MapValue()},
		{Key: "map with a key twice", Value: attribute.MapValue(attribute.Int("k", 1), attribute.Int("k", 2))},
		{Key: "map without a key", Value: attribute.MapValue(attribute.Int("", 1))},
		{Key: "map in a map", Value: attribute.MapValue(attribute.KeyValue{Key: "k", Value: attribute.MapValue(attribute.Bool("b", true))})},
		{Key: "slice", Value: attribute.SliceValue(attribute.IntValue(1), attribute.StringValue("x"), attribute.Value{})},
		{Key: "no slice", Value: attribute.SliceValue()},
		{Key: "slice in a slice", Value: attribute.SliceValue(attribute.SliceValue(), attribute.SliceValue(attribute.BoolValue(true)))},
		{Key: "map in a slice", Value: attribute.SliceValue(attribute.MapValue(attribute.StringSlice("s", nil)), attribute.ByteSliceValue([]byte{1}))},
		{Key: "none", Value: attribute.Value{}},
		{Key: "deep", Value: nested(100)},
	}
}

func nested(depth int) attribute.Value {
	v := attribute.StringValue("end")
	for i := range depth {
		if v = attribute.SliceValue(v); i%2 == 0 {
			v = attribute.MapValue(attribute.KeyValue{Key: "k", Value: v})
		}
	}
	return v
}

// withMeaning are attributes whose keys OpenTracing, Jaeger, or this kit take for more.
func withMeaning() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.Bool("error", true), attribute.String("span.kind", "client"), attribute.String("otel.status_code", "OK"),
		attribute.String("otel.status_description", "d"), attribute.Int("sampling.priority", 0),
		attribute.String("link.trace_id", "1"), attribute.String("link.span_id", "2"), attribute.String("otel.scope.name", "n"),
		attribute.String("otel.scope.version", "v"), attribute.String("otel.library.name", "n"), attribute.String("sampler.type", "const"),
		attribute.String("sampler.param", "p"), attribute.String("w3c.tracestate", "a=b"), attribute.String("internal.span.format", "x"),
		attribute.String("component", "c"), attribute.String("peer.service", "p"), attribute.String("event", "e"),
		attribute.String("message", "m"), attribute.Int("otel.dropped_attributes_count", 7), attribute.String("jaeger-debug-id", "x"),
		attribute.String("jaeger.version", "v"), attribute.String("hostname", "h"), attribute.String("ip", "i"),
		attribute.String("service.name", "s"), attribute.String("http.status_code", "x"),
	}
}

func TestAttributesAreThoseOfTheSDK(t *testing.T) {
	set := func(lists ...[]attribute.KeyValue) recording {
		return recording{record: func(s trace.Span) {
			for _, kv := range lists {
				s.SetAttributes(kv...)
			}
		}}
	}
	invalid := []attribute.KeyValue{{}, attribute.String("", "no key"), attribute.String("k", "v")}
	testSpansAreThoseOfTheSDK(t, map[string]recording{
		"none":         {},
		"set":          set(values()),
		"at the start": {start: []trace.SpanStartOption{trace.WithAttributes(values()...)}},
		"twice":        set(values(), values()),
		"one by one": {record: func(s trace.Span) {
			for _, a := range values() {
				s.SetAttributes(a)
			}
		}},
		"with a meaning":               set(withMeaning()),
		"with a meaning, at the start": {start: []trace.SpanStartOption{trace.WithAttributes(withMeaning()...)}},
		"one key, other types":         set([]attribute.KeyValue{attribute.Int("k", 1), attribute.String("l", "x"), attribute.String("k", "v")}, []attribute.KeyValue{attribute.Bool("k", true)}),
		"from start to end":            {start: []trace.SpanStartOption{trace.WithAttributes(attribute.Int("k", 1), attribute.Int("l", 1))}, record: func(s trace.Span) { s.SetAttributes(attribute.Int("k", 2)) }},
		"invalid":                      set(invalid),
		"invalid, at the start":        {start: []trace.SpanStartOption{trace.WithAttributes(invalid...)}},
		"nothing":                      set(nil, []attribute.KeyValue{}),
		"in an event":                  {record: func(s trace.Span) { s.AddEvent("e", trace.WithTimestamp(at), trace.WithAttributes(values()...)) }},
		"with a meaning, in an event":  {record: func(s trace.Span) { s.AddEvent("e", trace.WithTimestamp(at), trace.WithAttributes(withMeaning()...)) }},
		"invalid, in an event":         {record: func(s trace.Span) { s.AddEvent("e", trace.WithTimestamp(at), trace.WithAttributes(invalid...)) }},
		"twice, in an event": {record: func(s trace.Span) {
			s.AddEvent("e", trace.WithTimestamp(at), trace.WithAttributes(attribute.Int("k", 1), attribute.Int("l", 1), attribute.String("k", "v")))
		}},
		"in a link":              {record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link, Attributes: values()}) }},
		"in a link at the start": {start: []trace.SpanStartOption{trace.WithLinks(trace.Link{SpanContext: link, Attributes: withMeaning()})}},
		"invalid, in a link":     {record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link, Attributes: invalid}) }},
		"twice, in a link": {record: func(s trace.Span) {
			s.AddLink(trace.Link{SpanContext: link, Attributes: []attribute.KeyValue{attribute.Int("k", 1), attribute.Int("k", 2)}})
		}},
		"of the scope":          {tracer: []trace.TracerOption{trace.WithInstrumentationAttributes(values()...)}},
		"of the scope, invalid": {tracer: []trace.TracerOption{trace.WithInstrumentationAttributes(invalid...)}},
		"of the scope, twice":   {tracer: []trace.TracerOption{trace.WithInstrumentationAttributes(attribute.Int("k", 1), attribute.Int("k", 2))}},
	})
}

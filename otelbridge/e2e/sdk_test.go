package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/testing/protocmp"
)

var (
	at   = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	link = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1, Remote: true})
)

// recordings are what a library does with its span, which is called by the name of the recording.
var recordings = map[string]struct {
	start  []trace.SpanStartOption
	record func(trace.Span)
}{
	"nothing":  {},
	"server":   {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}},
	"client":   {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}},
	"producer": {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindProducer)}},
	"consumer": {start: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}},
	"attributes": {start: []trace.SpanStartOption{trace.WithAttributes(
		attribute.Bool("bool", true), attribute.Int64("int", -1), attribute.Float64("float", 0.5), attribute.String("string", "ü"),
	)}, record: func(s trace.Span) {
		s.SetAttributes(attribute.BoolSlice("bools", []bool{true, false}), attribute.Int64Slice("ints", []int64{1, 2}),
			attribute.Float64Slice("floats", []float64{1, 0.5}), attribute.StringSlice("strings", []string{"a", ""}),
			attribute.StringSlice("none", nil), attribute.Int64("int", 7))
		s.SetAttributes(attribute.KeyValue{Key: "bytes", Value: attribute.ByteSliceValue([]byte{0, 255})},
			attribute.KeyValue{Key: "map", Value: attribute.MapValue(attribute.Int("k", 1), attribute.String("l", "m"))},
			attribute.KeyValue{Key: "slice", Value: attribute.SliceValue(attribute.IntValue(1), attribute.StringValue("x"))})
	}},
	"attributes with a meaning": {record: func(s trace.Span) {
		s.SetAttributes(attribute.Bool("error", true), attribute.String("span.kind", "client"), attribute.String("otel.status_code", "OK"),
			attribute.Int("sampling.priority", 0), attribute.String("link.trace_id", "1"), attribute.String("link.span_id", "2"))
	}},
	"events": {record: func(s trace.Span) {
		s.AddEvent("one", trace.WithTimestamp(at.Add(1)), trace.WithAttributes(attribute.Int("n", 1), attribute.StringSlice("l", []string{"x"})))
		s.AddEvent("log", trace.WithTimestamp(at.Add(2)), trace.WithAttributes(attribute.String("event", "x")))
		s.AddEvent("", trace.WithTimestamp(at.Add(3)))
		s.AddEvent("error", trace.WithTimestamp(at.Add(4)), trace.WithAttributes(attribute.String("message", "m")))
	}},
	"error": {record: func(s trace.Span) {
		s.RecordError(fmt.Errorf("outer: %w", errors.New("inner")), trace.WithTimestamp(at.Add(1)), trace.WithAttributes(attribute.Int("n", 1)))
		s.SetStatus(codes.Error, "first")
		s.SetStatus(codes.Error, "second")
		s.SetStatus(codes.Unset, "")
	}},
	"ok": {record: func(s trace.Span) {
		s.SetStatus(codes.Ok, "ignored")
		s.SetStatus(codes.Error, "late")
	}},
	"error without a description": {record: func(s trace.Span) { s.SetStatus(codes.Error, "") }},
	"links": {start: []trace.SpanStartOption{trace.WithLinks(trace.Link{SpanContext: link})}, record: func(s trace.Span) {
		s.AddLink(trace.Link{SpanContext: link.WithRemote(false), Attributes: []attribute.KeyValue{attribute.Int("n", 1)}})
		s.AddLink(trace.Link{})
	}},
	"name": {record: func(s trace.Span) { s.SetName("x"); s.SetName("name") }},
	"over the limits": {record: func(s trace.Span) {
		for i := range 300 {
			s.SetAttributes(attribute.Int(fmt.Sprint("k", i), i), attribute.Int("k1", i))
			s.AddEvent("e", trace.WithTimestamp(at.Add(time.Duration(i))))
			s.AddLink(trace.Link{SpanContext: link, Attributes: []attribute.KeyValue{attribute.Int("i", i)}})
		}
	}},
	"after the end": {record: func(s trace.Span) {
		s.End(trace.WithTimestamp(at.Add(time.Second)))
		s.SetAttributes(attribute.Int("late", 1))
		s.AddEvent("late")
		s.SetStatus(codes.Error, "late")
	}},
}

// record does all recordings with the tracers of a provider.
func record(t *testing.T, p trace.TracerProvider) {
	ctx := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1",
	})
	tracer := p.Tracer("lib", trace.WithInstrumentationVersion("v1"), trace.WithSchemaURL("https://opentelemetry.io/schemas/1.40.0"),
		trace.WithInstrumentationAttributes(attribute.String("a", "b")))
	for name, r := range recordings {
		below, s := tracer.Start(ctx, name, append(r.start, trace.WithTimestamp(at))...)
		_, child := p.Tracer("other").Start(below, "child of "+name, trace.WithTimestamp(at))
		child.End(trace.WithTimestamp(at.Add(time.Millisecond)))
		if r.record != nil {
			r.record(s)
		}
		s.End(trace.WithTimestamp(at.Add(time.Second)))
	}
}

// TestSpansAreThoseOfTheSDK compares what the bridge and OpenTelemetry's SDK export, field by field. Span ids are random,
// and the SDK leaves out the tracestate of links.
func TestSpansAreThoseOfTheSDK(t *testing.T) {
	sdk, kit := newCollector(t), newCollector(t)
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(sdk.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	record(t, provider)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, flush := kit.bridge(t)
	record(t, b.TracerProvider())
	flush()
	want, got := sdk.spans(), kit.spans()
	if len(want) != 2*len(recordings) {
		t.Fatalf("the SDK exported %d spans", len(want))
	}
	for name, w := range want {
		t.Run(name, func(t *testing.T) {
			g, ok := got[name]
			if !ok {
				t.Fatal("missing")
			}
			if parent := got[name[min(len("child of "), len(name)):]]; parent.Span != nil && string(g.ParentSpanId) != string(parent.SpanId) {
				t.Error("wrong parent")
			}
			ignored := cmp.Options{protocmp.Transform(), protocmp.IgnoreFields(w.Span, "span_id"), protocmp.IgnoreEmptyMessages()}
			if len(name) > 9 && name[:9] == "child of " {
				ignored = append(ignored, protocmp.IgnoreFields(w.Span, "parent_span_id"))
			}
			if diff := cmp.Diff(w.Span, g.Span, ignored); diff != "" {
				t.Errorf("-sdk +bridge:\n%s", diff)
			}
			if diff := cmp.Diff(w.scope, g.scope, protocmp.Transform()); diff != "" || w.schema != g.schema {
				t.Errorf("scope, schema %q and %q, -sdk +bridge:\n%s", w.schema, g.schema, diff)
			}
		})
	}
}

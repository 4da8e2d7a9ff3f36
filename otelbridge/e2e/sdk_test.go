package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

var (
	at   = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	link = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: 1, Remote: true})
)

// recording is what a library does with a span, which has a remote parent and is called by the name of the recording.
type recording struct {
	tracer []trace.TracerOption
	start  []trace.SpanStartOption
	record func(trace.Span)

	program func(ctx context.Context, p trace.TracerProvider) // instead of all these
}

// do runs the recording below a remote parent.
func (r recording) do(ctx context.Context, p trace.TracerProvider, name string) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1",
	})
	if r.program != nil {
		r.program(ctx, p)
		return
	}
	below, s := p.Tracer("lib", r.tracer...).Start(ctx, name, append(r.start, trace.WithTimestamp(at))...)
	_, child := p.Tracer("other").Start(below, "child", trace.WithTimestamp(at))
	child.End(trace.WithTimestamp(at.Add(time.Millisecond)))
	if r.record != nil {
		r.record(s)
	}
	s.End(trace.WithTimestamp(at.Add(time.Second)))
}

// limitsOfEnvironment has the variables that limit spans, and no other.
func limitsOfEnvironment(key string) (string, bool) {
	if strings.HasSuffix(key, "_LIMIT") {
		return os.LookupEnv(key)
	}
	return "", false
}

// exportedBy returns what the SDK and the bridge export of a recording.
func exportedBy(t *testing.T, name string, r recording) (sdk, bridge *collector) {
	t.Helper()
	sdk, bridge = newCollector(t), newCollector(t)
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(sdk.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	r.do(t.Context(), provider, name)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, LookupEnv: limitsOfEnvironment,
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(bridge.URL)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	r.do(t.Context(), otelbridge.New(tracer).TracerProvider(), name)
	if err := tracer.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	return sdk, bridge
}

// testSpansAreThoseOfTheSDK compares what the bridge and OpenTelemetry's SDK export, field by field. Ids are random.
func testSpansAreThoseOfTheSDK(t *testing.T, recordings map[string]recording) {
	for name, r := range recordings {
		t.Run(name, func(t *testing.T) {
			sdk, bridge := exportedBy(t, name, r)
			compareSpans(t, sdk.all(), bridge.all())
		})
	}
}

func compareSpans(t *testing.T, sdk, bridge []received) {
	t.Helper()
	want, got := byName(t, sdk), byName(t, bridge)
	if len(want) == 0 {
		t.Error("the SDK has exported nothing")
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("the SDK does not export %q", name)
		}
	}
	for name, w := range want {
		g, ok := got[name]
		if !ok {
			t.Errorf("%q is missing", name)
			continue
		}
		if w, g := parentOf(w, sdk), parentOf(g, bridge); w != g {
			t.Errorf("the parent of %q is %s, with the SDK %s", name, g, w)
		}
		if diff := cmp.Diff(fieldsOf(w), fieldsOf(g)); diff != "" {
			t.Errorf("%s, -sdk +bridge:\n%s", name, diff)
		}
	}
}

// fieldsOf writes all fields, one a line, but for ids and the tracestate of links, which the SDK does not export.
// Comparing them as messages takes for ever if values are nested deeply.
func fieldsOf(s received) []string {
	lines := []string{
		fmt.Sprintf("%v, flags %#x, state %q", s.Kind, s.Flags, s.TraceState),
		fmt.Sprintf("from %d to %d", s.StartTimeUnixNano, s.EndTimeUnixNano),
		fmt.Sprintf("status %v %q", s.Status.GetCode(), s.Status.GetMessage()),
		fmt.Sprint("dropped ", s.DroppedAttributesCount, s.DroppedEventsCount, s.DroppedLinksCount),
		fmt.Sprintf("scope %q %q, schema %q", s.scope.GetName(), s.scope.GetVersion(), s.schema),
	}
	add := func(title string, kvs []*commonpb.KeyValue) {
		for _, kv := range kvs {
			lines = append(lines, fmt.Sprintf("%s %q: %s", title, kv.Key, valueText(kv.Value)))
		}
	}
	add("scope's", s.scope.GetAttributes())
	add("attribute", s.Attributes)
	for _, e := range s.Events {
		lines = append(lines, fmt.Sprintf("event %q at %d, dropped %d", e.Name, e.TimeUnixNano, e.DroppedAttributesCount))
		add("event's", e.Attributes)
	}
	for _, l := range s.Links {
		lines = append(lines, fmt.Sprintf("link to %x-%x, flags %#x, dropped %d",
			l.TraceId, l.SpanId, l.Flags, l.DroppedAttributesCount))
		add("link's", l.Attributes)
	}
	return lines
}

func byName(t *testing.T, spans []received) map[string]received {
	t.Helper()
	m := map[string]received{}
	for _, s := range spans {
		if _, ok := m[s.Name]; ok {
			t.Errorf("two spans %q", s.Name)
		}
		m[s.Name] = s
	}
	return m
}

// parentOf returns the name of the parent, or the ids of one that was not exported, and whether the traces differ.
func parentOf(s received, all []received) string {
	if len(s.ParentSpanId) == 0 {
		return "none"
	}
	for _, p := range all {
		if string(p.SpanId) == string(s.ParentSpanId) {
			return fmt.Sprintf("%q, same trace: %t", p.Name, string(p.TraceId) == string(s.TraceId))
		}
	}
	return fmt.Sprintf("%x-%x", s.TraceId, s.ParentSpanId)
}

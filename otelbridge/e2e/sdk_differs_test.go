package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// exported returns the one span of a recording that the bridge exports besides the child, and whether the SDK exports
// the same.
func exported(t *testing.T, r recording) (bridge received, likeSDK bool) {
	t.Helper()
	ofSDK, ofBridge := exportedBy(t, "s", r)
	find := func(c *collector) (s received) {
		for _, s := range c.all() {
			if s.Name == "s" {
				return s
			}
		}
		return s
	}
	sdk, bridge := find(ofSDK), find(ofBridge)
	if bridge.Span == nil {
		t.Fatal("the bridge exports nothing")
	}
	return bridge, sdk.Span != nil && slices.Equal(fieldsOf(sdk), fieldsOf(bridge))
}

// TestWhereTheBridgeIsNotTheSDK has what the bridge does in other ways, on purpose.
func TestWhereTheBridgeIsNotTheSDK(t *testing.T) {
	notUTF8 := []attribute.KeyValue{
		attribute.String("v", "a\xff\xfe"), attribute.StringSlice("list", []string{"\xc3"}),
		{Key: "m", Value: attribute.MapValue(attribute.String("k", "\xff"))},
	}
	state, err := trace.ParseTraceState("a=b")
	if err != nil {
		t.Fatal(err)
	}
	span := func(end time.Duration, name string, opts ...trace.TracerOption) recording {
		return recording{program: func(ctx context.Context, p trace.TracerProvider) {
			_, s := p.Tracer(name, opts...).Start(ctx, "s", trace.WithTimestamp(at))
			s.End(trace.WithTimestamp(at.Add(end)))
		}}
	}
	for name, tt := range map[string]struct {
		recording
		env  string
		got  func(received) any
		want any
	}{
		"texts that are not UTF-8 are mended; the SDK loses the batch": {
			recording: recording{record: func(s trace.Span) { s.SetAttributes(notUTF8...) }},
			got:       func(s received) any { return attributes(s.Attributes) },
			want:      ` list=["` + "\uFFFD" + `"] m={"k": "` + "\uFFFD" + `"} v="a` + "\uFFFD" + `"`,
		},
		"links keep their tracestate": {
			recording: recording{record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link.WithTraceState(state)}) }},
			got:       func(s received) any { return s.Links[0].TraceState }, want: "a=b",
		},
		"events without room are counted": {
			recording: recording{record: func(s trace.Span) { s.AddEvent("e"); s.AddEvent("e") }}, env: "OTEL_SPAN_EVENT_COUNT_LIMIT",
			got: func(s received) any { return s.DroppedEventsCount }, want: uint32(2),
		},
		"links without room are counted": {
			recording: recording{record: func(s trace.Span) { s.AddLink(trace.Link{SpanContext: link}) }}, env: "OTEL_SPAN_LINK_COUNT_LIMIT",
			got: func(s received) any { return s.DroppedLinksCount }, want: uint32(1),
		},
		"a tracer without a name is not called like the SDK": {
			recording: span(time.Second, ""),
			got:       func(s received) any { return s.scope.GetName() }, want: "github.com/spanloom/spanloom",
		},
		"a version alone": {
			recording: span(time.Second, "", trace.WithInstrumentationVersion("v1")),
			got:       func(s received) any { return fmt.Sprint(s.scope.GetName(), s.scope.GetVersion(), len(s.Attributes)) }, want: "v10",
		},
		"a span does not end before it starts": {
			recording: span(-time.Second, "lib"),
			got:       func(s received) any { return s.EndTimeUnixNano - s.StartTimeUnixNano }, want: uint64(0),
		},
		"a span lasts a microsecond, as those of Jaeger do": {
			recording: span(1, "lib"),
			got:       func(s received) any { return s.EndTimeUnixNano - s.StartTimeUnixNano }, want: uint64(1000),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.env != "" {
				t.Setenv(tt.env, "0")
			}
			s, likeSDK := exported(t, tt.recording)
			if got := tt.got(s); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if likeSDK && name != "links keep their tracestate" {
				t.Error("the SDK does the same")
			}
		})
	}
}

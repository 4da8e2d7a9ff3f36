package otelbridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/otelbridge"
)

// recorded returns what exporters get of a span.
func recorded(t *testing.T, b *bridged, name string) *model.Span {
	t.Helper()
	var l fromjaeger.Loader
	l.Load(b.spans(t)[name])
	return &l.Span
}

func TestShortenedTextsAreCounted(t *testing.T) {
	long := attribute.String("k", "too long")
	for name, record := range map[string]func(trace.Span){
		"attribute":          func(s trace.Span) { s.SetAttributes(long) },
		"attribute of event": func(s trace.Span) { s.AddEvent("e", trace.WithAttributes(long)) },
		"attribute of link":  func(s trace.Span) { s.AddLink(trace.Link{Attributes: []attribute.KeyValue{long}}) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBridge(t, otelbridge.WithLimits(otelbridge.Limits{ValueLength: 3}))
			_, span := b.tracer().Start(t.Context(), "op")
			record(span)
			span.End()
			if s := recorded(t, b, "op"); s.Dropped.Values != 1 {
				t.Errorf("%d values were shortened, want 1", s.Dropped.Values)
			}
		})
	}
}

// TestListsInEachOtherAreBounded to 64, as by OpenTelemetry's SDK.
func TestListsInEachOtherAreBounded(t *testing.T) {
	for depth, want := range map[int]model.Kind{64: model.KindString, 65: model.KindEmpty} {
		t.Run(fmt.Sprint(depth), func(t *testing.T) {
			b := newBridge(t)
			_, span := b.tracer().Start(t.Context(), "op")
			value := attribute.StringValue("end")
			for range depth {
				value = attribute.SliceValue(value)
			}
			span.SetAttributes(attribute.KeyValue{Key: "deep", Value: value})
			span.End()
			for _, tag := range recorded(t, b, "op").Tags {
				if tag.Key != "deep" {
					continue
				}
				v, lists := tag.Value, 0
				for ; v.Kind() == model.KindList; lists++ {
					v = v.List()[0]
				}
				if lists != 64 || v.Kind() != want {
					t.Errorf("%d lists around a value of kind %v", lists, v.Kind())
				}
				return
			}
			t.Error("the attribute is lost")
		})
	}
}

// TestPropertiesOfBaggageAreSent with the items that OpenTelemetry's baggage shares with the span, if there is room.
func TestPropertiesOfBaggageAreSent(t *testing.T) {
	property := func(n int) string { return ";p=" + strings.Repeat("x", n) }
	for name, tt := range map[string]struct {
		bag   string
		items map[string]string // of the span
		want  string            // the properties of a
	}{
		"with properties":    {"a=1;p;q=2,b=2", nil, "p;q=2"},
		"without properties": {"a=1,b=2", nil, ""},
		"too long": {
			"a=1" + property(4000) + ",b=2" + property(4000), map[string]string{"c": strings.Repeat("y", 1000)}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBridge(t)
			bag, err := baggage.Parse(tt.bag)
			if err != nil {
				t.Fatal(err)
			}
			below := b.below.StartSpan("below")
			defer below.Finish()
			for k, v := range tt.items {
				below.SetBaggageItem(k, v)
			}
			ctx := baggage.ContextWithBaggage(opentracing.ContextWithSpan(t.Context(), below), bag)
			c := propagation.MapCarrier{}
			b.Propagator().Inject(ctx, c)
			sent, err := baggage.Parse(c["baggage"])
			if err != nil || sent.Member("a").Value() != "1" || sent.Member("b").Value() != "2" {
				t.Fatalf("sent %.200q: %v", c["baggage"], err)
			}
			var got []string
			for _, p := range sent.Member("a").Properties() {
				got = append(got, p.String())
			}
			if strings.Join(got, ";") != tt.want {
				t.Errorf("sent properties %.100q, want %q", got, tt.want)
			}
		})
	}
}

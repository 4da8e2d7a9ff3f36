package otelbridge_test

import (
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// keyless is a carrier that does not list its keys.
type keyless struct{ propagation.MapCarrier }

func (keyless) Keys() []string { return nil }

// message is a carrier that may hold a key more than once, as messages of Kafka do, of which the first counts.
type message [][2]string

func (m message) Get(key string) string {
	for _, h := range m {
		if h[0] == key {
			return h[1]
		}
	}
	return ""
}

func (m message) Set(string, string) {}

func (m message) Keys() (keys []string) {
	for _, h := range m {
		keys = append(keys, h[0])
	}
	return keys
}

// shouting is a carrier with keys as net/http writes them.
func shouting(in propagation.MapCarrier) propagation.HeaderCarrier {
	h := propagation.HeaderCarrier{}
	for k, v := range in {
		h.Set(k, v)
	}
	return h
}

func TestExtractFromAllCarriers(t *testing.T) {
	in := propagation.MapCarrier{"traceparent": callerHeader, "tracestate": "v=1", "baggage": "k=v"}
	all := message{{"traceparent", callerHeader}, {"tracestate", "v=1"}, {"baggage", "k=v"}}
	for name, c := range map[string]propagation.TextMapCarrier{
		"map": in, "keyless": keyless{in}, "headers": shouting(in), "message": all,
		"message with keys twice": append(all, all...),
		"message with other values later": append(all[:len(all):len(all)],
			[2]string{"traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, [2]string{"baggage", "k=w"}),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBridge(t)
			ctx := b.Propagator().Extract(t.Context(), c)
			sc := trace.SpanContextFromContext(ctx)
			got := fmt.Sprint(sc.TraceID(), " ", sc.TraceState(), " ", baggage.FromContext(ctx), " ", sc.IsRemote())
			if want := callerHeader[3:35] + " v=1 k=v true"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

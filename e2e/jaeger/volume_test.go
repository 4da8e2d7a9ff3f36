package jaeger_test

import (
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestEverySpanArrives makes spans as fast as it can and finds every one in Jaeger, by each road, UDP too.
func TestEverySpanArrives(t *testing.T) {
	const spans = 100
	for _, r := range roads(t) {
		traces := 200
		if r.name == "udp" {
			traces = 20 // which the smallest receive buffer holds, however long the agent looks away
		}
		t.Run(r.name, func(t *testing.T) {
			tracer := start(t, tracerinit.Config{
				Service: "volume", Exporters: []tracerinit.Exporter{r.exporter}, Queue: tracerinit.Queue{Overflow: tracerinit.Block},
			})
			var ids []string
			for range traces {
				root := tracer.StartSpan("root")
				for range spans - 1 {
					tracer.StartSpan("child", opentracing.ChildOf(root.Context())).SetTag("some", "tag").Finish()
				}
				root.Finish()
				ids = append(ids, carrier.TraceID(root.Context()))
			}
			shutdown(t, tracer)
			for _, id := range ids {
				if got := len(r.backend.Trace(t, id, spans)); got != spans {
					t.Fatalf("trace %s has %d spans, want %d", id, got, spans)
				}
			}
		})
	}
}

package jaeger_test

import (
	"testing"
	"time"

	client "github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// TestKilledAndRestarted kills a real Jaeger without a warning. What is reported while it is away reaches the next one.
func TestKilledAndRestarted(t *testing.T) {
	retry := tracerinit.Retry{Initial: 20 * time.Millisecond, Max: 100 * time.Millisecond}
	for name, exporter := range map[string]func(*jaeger.Jaeger) tracerinit.Exporter{
		"thrift over HTTP": func(j *jaeger.Jaeger) tracerinit.Exporter {
			return tracerinit.JaegerHTTP(j.Collector+"/api/traces", tracerinit.WithRetry(retry))
		},
		"OTLP over HTTP": func(j *jaeger.Jaeger) tracerinit.Exporter {
			return tracerinit.OTLPHTTP(j.OTLPHTTP, tracerinit.WithRetry(retry))
		},
		"OTLP over gRPC": func(j *jaeger.Jaeger) tracerinit.Exporter {
			return otlpgrpc.New("http://"+j.OTLPGRPC, otlpgrpc.WithRetry(retry))
		},
	} {
		t.Run(name, func(t *testing.T) {
			backend := jaeger.Start(t)
			tracer := start(t, tracerinit.Config{
				Service: "restart", Exporters: []tracerinit.Exporter{exporter(backend)},
				Queue: tracerinit.Queue{Interval: 10 * time.Millisecond, Batch: 50},
			})
			before := report(tracer, 100)
			backend.Trace(t, before[99], 1)
			backend.Kill()
			while := report(tracer, 500)
			wait.For(t, "a failed attempt", func() (any, bool) {
				e := tracer.Stats().Exporters[0]
				return e, e.Failures > 0
			})
			backend.Restart(t)
			after := report(tracer, 100)
			shutdown(t, tracer)
			for _, id := range append(while, after...) {
				backend.Trace(t, id, 1)
			}
		})
	}
}

// report makes n traces of one span each and returns their ids.
func report(tracer *tracerinit.Tracer, n int) (ids []string) {
	for range n {
		span := tracer.StartSpan("job")
		span.Finish()
		ids = append(ids, carrier.TraceID(span.Context().(client.SpanContext)))
	}
	return ids
}

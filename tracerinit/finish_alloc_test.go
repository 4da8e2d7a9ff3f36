package tracerinit_test

import (
	"testing"

	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// TestAnExporterAddsNoAllocs compares what a span costs with an exporter, from its start to its bytes in the queue,
// with what it costs with a reporter that does nothing.
func TestAnExporterAddsNoAllocs(t *testing.T) {
	cost := func(cfg tracerinit.Config) float64 {
		tracer := start(t, cfg)
		return testing.AllocsPerRun(5000, func() {
			span := tracer.StartSpan("GET /users/{id}", ext.SpanKindRPCServer)
			span.SetTag("http.method", "GET").SetTag("http.route", "/users/{id}").SetTag("error", true)
			span.Finish()
		})
	}
	bare := cost(tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	with := cost(tracerinit.Config{
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP("http://127.0.0.1:1")}, Queue: tracerinit.Queue{Size: 100, Overflow: tracerinit.DropOldest},
	})
	if with > bare && !raceEnabled { // a sync.Pool forgets at random under the race detector
		t.Errorf("%v allocations with an exporter, %v without", with, bare)
	}
}

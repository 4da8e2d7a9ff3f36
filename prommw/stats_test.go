package prommw_test

import (
	"context"
	"testing"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestLostSpansAreCounted for each of two exporters of the same name and two reporters of the same type.
func TestLostSpansAreCounted(t *testing.T) {
	refused := "http://127.0.0.1:1"
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, LookupEnv: func(string) (string, bool) { return "", false },
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(refused), tracerinit.OTLPHTTP(refused)},
		Reporters: []jaeger.Reporter{jaeger.NewInMemoryReporter(), jaeger.NewInMemoryReporter()},
	})
	if err != nil {
		t.Fatal(err)
	}
	late := tracer.StartSpan("late")
	tracer.StartSpan("work").Finish()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	tracer.Shutdown(ended)
	late.Finish()

	stats := prommw.NewStatsCollector(tracer)
	for family, want := range map[string]float64{
		"spanloom_spans_started_total":            2,
		"spanloom_exporter_dropped_spans_total":   4,
		"spanloom_reporter_delivered_spans_total": 2,
		"spanloom_reporter_dropped_spans_total":   2,
	} {
		t.Run(family, func(t *testing.T) {
			var got float64
			for _, m := range gather(t, stats, family) {
				got += m.Counter.GetValue()
			}
			if got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

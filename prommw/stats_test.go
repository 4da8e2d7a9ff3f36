package prommw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

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

// TestStatsAreThoseOfTheTracer while one span is open, one is being sent and two wait.
func TestStatsAreThoseOfTheTracer(t *testing.T) {
	release := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer backend.Close()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, LookupEnv: func(string) (string, bool) { return "", false }, Queue: tracerinit.Queue{Batch: 1},
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(backend.URL)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	defer close(release)
	open := tracer.StartSpan("open")
	defer open.Finish()
	for range 3 {
		tracer.StartSpan("work").Finish()
	}
	for deadline := time.Now().Add(10 * time.Second); tracer.Stats().Exporters[0].InFlight == 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is sent: %+v", tracer.Stats())
		}
	}
	bytes := tracer.Stats().Exporters[0].Bytes
	if bytes == 0 {
		t.Error("spans that wait have no size")
	}
	stats := prommw.NewStatsCollector(tracer)
	for family, want := range map[string]float64{
		"spanloom_spans_started_total":            4,
		"spanloom_spans_open":                     1,
		"spanloom_spans_unsampled_total":          0,
		"spanloom_spans_reported_total":           3,
		"spanloom_spans_limited_total":            0,
		"spanloom_exporter_queued_spans":          2,
		"spanloom_exporter_inflight_spans":        1,
		"spanloom_exporter_queue_bytes":           float64(bytes),
		"spanloom_exporter_delivered_spans_total": 0,
		"spanloom_exporter_failed_attempts_total": 0,
		"spanloom_sampler_requests_total":         0,
		"spanloom_sampler_failed_requests_total":  0,
	} {
		t.Run(family, func(t *testing.T) {
			metrics := gather(t, stats, family)
			if len(metrics) != 1 {
				t.Fatalf("%d metrics, want 1", len(metrics))
			}
			if got := metrics[0].GetCounter().GetValue() + metrics[0].GetGauge().GetValue(); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

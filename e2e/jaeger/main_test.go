// Package jaeger_test sends spans to a real Jaeger and reads them back through its query API.
package jaeger_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts a tracer that no environment sets up, shut down when the test ends.
func start(t testing.TB, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Local, cfg.Logger = true, slog.New(slog.DiscardHandler)
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Close() })
	return tracer
}

// shutdown ends export and fails the test if a span was lost.
func shutdown(t testing.TB, tracer *tracerinit.Tracer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := tracer.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	stats := tracer.Stats()
	if stats.Open != 0 || stats.Started+stats.Repeated != stats.Open+stats.Unsampled+stats.Reported {
		t.Errorf("spans do not add up: %+v", stats)
	}
	for _, e := range stats.Exporters {
		if e.Delivered != e.Reported || e.Reported != stats.Reported {
			t.Errorf("%s lost spans: %+v", e.Name, e)
		}
	}
}

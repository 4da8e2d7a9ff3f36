// Package faults_test breaks backends while a service reports to them, and accounts for every span.
package faults_test

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestMain leaves out a proxy of the machine that runs the tests, which does not know the names that they use.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Unsetenv(name)
	}
	goleak.VerifyTestMain(m)
}

// service is a tracer that remembers what it reported.
type service struct {
	*tracerinit.Tracer
	reported *ids
}

func newService(t *testing.T, exporter tracerinit.Exporter, queue tracerinit.Queue) *service {
	t.Helper()
	s := &service{reported: new(ids)}
	var err error
	s.Tracer, err = tracerinit.Start(tracerinit.Config{
		Service: "faults", Local: true, Exporters: []tracerinit.Exporter{exporter}, Queue: queue,
		Reporters: []jaeger.Reporter{s.reported},
		Logger:    slog.New(slog.DiscardHandler),
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// ids is a jaeger.Reporter that keeps the ids of spans.
type ids struct {
	mu  sync.Mutex
	all []string
}

func (r *ids) Report(s *jaeger.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, carrier.TraceID(s.Context())+"/"+carrier.SpanID(s.Context()))
}

func (*ids) Close() {}

func (r *ids) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// work makes n spans, a root and nine children at a time, a few thousand a second.
func (s *service) work(n int) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; n > 0; n -= 10 {
		root := s.StartSpan("root")
		for range min(n, 10) - 1 {
			s.StartSpan("child", opentracing.ChildOf(root.Context())).SetTag("n", n).Finish()
		}
		root.Finish()
		<-tick.C
	}
}

// failures waits until an attempt to send has failed.
func (s *service) failures(t *testing.T) {
	t.Helper()
	wait.For(t, "a failed attempt", func() (any, bool) {
		e := s.Stats().Exporters[0]
		return e, e.Failures > 0
	})
}

// flush waits until everything is delivered or dropped.
func (s *service) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Errorf("flush: %v; %+v", err, s.Stats().Exporters[0])
	}
}

// shutdown ends within the time given, and some seconds for a busy machine.
func (s *service) shutdown(t *testing.T, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	begin := time.Now()
	_ = s.Shutdown(ctx)
	if took := time.Since(begin); took > within+5*time.Second {
		t.Errorf("shutdown took %v, its deadline was %v", took, within)
	}
}

// account checks the sums, and that the backend took exactly what is counted as delivered. It returns the counts.
func (s *service) account(t *testing.T, taken *sink.Taken) tracerinit.ExporterStats {
	t.Helper()
	stats := s.Stats()
	e := stats.Exporters[0]
	if stats.Started != stats.Open+stats.Unsampled+stats.Reported || stats.Open != 0 {
		t.Errorf("started %d = open %d + unsampled %d + reported %d does not hold",
			stats.Started, stats.Open, stats.Unsampled, stats.Reported)
	}
	if e.Reported != stats.Reported || e.Reported != e.Queued+e.InFlight+e.Delivered+e.Dropped.Total() {
		t.Errorf("the exporter's counts do not add up: %+v", e)
	}
	reported := s.reported.list()
	if uint64(len(reported)) != e.Reported {
		t.Errorf("%d spans were reported, %d are counted", len(reported), e.Reported)
	}
	if uint64(taken.Len()) != e.Delivered {
		t.Errorf("the backend took %d spans, %d are counted as delivered", taken.Len(), e.Delivered)
	}
	slices.Sort(reported)
	for _, id := range taken.IDs() {
		if _, known := slices.BinarySearch(reported, id); !known {
			t.Fatalf("the backend took %s, which nobody reported", id)
		}
	}
	return e
}

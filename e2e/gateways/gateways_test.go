// Package gateways_test puts gateways between exporters and their backends: limits, refusals, pages and redirects. The
// gateways have names that are not loopback, so that exporters do what they do in a deployment.
package gateways_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"time"

	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/names"
	"github.com/spanloom/spanloom/e2e/internal/sink"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

func TestMain(m *testing.M) {
	if err := names.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) // the name server is there until the end
}

var hosts atomic.Int64

// named returns a name for an address, as host:port.
func named(addr string) string {
	name := fmt.Sprintf("gateway%d.example:4318", hosts.Add(1))
	names.Add(name, addr)
	return name
}

var retry = tracerinit.Retry{Initial: 10 * time.Millisecond, Max: 50 * time.Millisecond, Limit: 20 * time.Second}

// overHTTP are the exporters over HTTP, each to a gateway with a name.
var overHTTP = map[string]func(name string, opts ...tracerinit.HTTPOption) tracerinit.Exporter{
	"OTLP": func(name string, opts ...tracerinit.HTTPOption) tracerinit.Exporter {
		return tracerinit.OTLPHTTP("http://"+name, append(opts, tracerinit.WithRetry(retry))...)
	},
	"thrift": func(name string, opts ...tracerinit.HTTPOption) tracerinit.Exporter {
		return tracerinit.JaegerHTTP("http://"+name, append(opts, tracerinit.WithRetry(retry))...)
	},
}

func overGRPC(name string, opts ...otlpgrpc.Option) tracerinit.Exporter {
	return otlpgrpc.New("http://"+name, append(opts, otlpgrpc.WithRetry(retry))...)
}

// sender is a tracer that remembers the ids of what it sent.
type sender struct {
	*tracerinit.Tracer
	log strings.Builder
	ids []string
}

func start(t *testing.T, e tracerinit.Exporter) *sender {
	t.Helper()
	return startWithin(t, e, wait.Patience)
}

// startWithin starts a tracer that waits for an answer as long as timeout.
func startWithin(t *testing.T, e tracerinit.Exporter, timeout time.Duration) *sender {
	t.Helper()
	s := &sender{}
	var err error
	s.Tracer, err = tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Exporters: []tracerinit.Exporter{e},
		Queue:           tracerinit.Queue{Batch: 50, Interval: 20 * time.Millisecond, Timeout: timeout},
		Logger:          slog.New(slog.NewTextHandler(&s.log, nil)),
		ShutdownTimeout: 200 * time.Millisecond,
		LookupEnv:       func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// send makes n spans of about half a KiB and waits until each is delivered or dropped.
func (s *sender) send(t *testing.T, n int) tracerinit.ExporterStats {
	t.Helper()
	for i := range n {
		span := s.StartSpan(fmt.Sprint("span ", i))
		span.SetTag("filler", strings.Repeat("x", 400))
		span.Finish()
		s.ids = append(s.ids, carrier.TraceID(span.Context())+"/"+carrier.SpanID(span.Context()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait.Patience)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return s.Stats().Exporters[0]
}

// poison is the name of a span on which a gateway chokes.
const poison = "poison"

func (s *sender) poison() { s.StartSpan(poison).Finish() }

// all checks that every span arrived once, without a line in the log.
func (s *sender) all(t *testing.T, got tracerinit.ExporterStats, taken *sink.Taken) {
	t.Helper()
	if got.Delivered != uint64(len(s.ids)) || got.Dropped.Total() != 0 || s.log.Len() > 0 {
		t.Errorf("%+v, log: %s", got, s.log.String())
	}
	sink.SameIDs(t, taken, s.ids)
	if twice := taken.Twice(); len(twice) > 0 {
		t.Errorf("%d spans came twice", len(twice))
	}
}

package tracerinit_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/tracerinit"
)

// startWoven does what woven code does at the beginning of func main, with spans sent to a server that counts requests.
func startWoven(t *testing.T) (stop func(), batches *atomic.Int32) {
	t.Helper()
	batches = new(atomic.Int32)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		batches.Add(1)
	}))
	t.Cleanup(srv.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
	restoreGlobal(t)
	return tracerinit.WovenMain(), batches
}

func TestWovenMainStartsATracer(t *testing.T) {
	stop, batches := startWoven(t)
	tracer, ok := opentracing.GlobalTracer().(*tracerinit.Tracer)
	if !ok || !woven.Provisional() {
		t.Fatalf("the global tracer is %T", opentracing.GlobalTracer())
	}
	tracer.StartSpan("job").Finish()
	stop()
	stop() // woven code calls it once; twice is no harm
	if !tracerinit.IsClosed(tracer) || batches.Load() != 1 || woven.Provisional() {
		t.Errorf("closed %t, %d batches", tracerinit.IsClosed(tracer), batches.Load())
	}
}

// TestStartReplacesTheTracerOfWovenMain though there may be only one.
func TestStartReplacesTheTracerOfWovenMain(t *testing.T) {
	stop, batches := startWoven(t)
	first := opentracing.GlobalTracer().(*tracerinit.Tracer)
	first.StartSpan("early").Finish()
	own, err := tracerinit.Start(tracerinit.Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")})
	if err != nil {
		t.Fatal(err)
	}
	if opentracing.GlobalTracer() != own || woven.Provisional() {
		t.Errorf("the global tracer is %v", opentracing.GlobalTracer())
	}
	if _, err := tracerinit.Start(tracerinit.Config{LookupEnv: env("OTEL_TRACES_EXPORTER=none")}); err == nil {
		t.Error("a second tracer of the program's own is no error")
	}
	eventually(t, "the first tracer is closed", func() bool { return tracerinit.IsClosed(first) })
	if err := own.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if !tracerinit.IsClosed(first) || batches.Load() != 1 {
		t.Errorf("closed %t, %d batches, want what was queued delivered", tracerinit.IsClosed(first), batches.Load())
	}
}

func TestWovenMainLeavesATracerThatIsThere(t *testing.T) {
	restoreGlobal(t)
	own, err := tracerinit.Start(tracerinit.Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")}) // such as in an init function
	if err != nil {
		t.Fatal(err)
	}
	tracerinit.WovenMain()()
	if opentracing.GlobalTracer() != own || tracerinit.IsClosed(own) {
		t.Error("the program's own tracer was replaced or closed")
	}
	_ = own.Close()
}

func TestWovenMainOfAWrongConfiguration(t *testing.T) {
	restoreGlobal(t)
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	t.Setenv("OTEL_TRACES_SAMPLER", "sometimes")
	tracerinit.WovenMain()()
	if _, noop := opentracing.GlobalTracer().(opentracing.NoopTracer); !noop {
		t.Errorf("the global tracer is %T", opentracing.GlobalTracer())
	}
	if !strings.Contains(log.String(), "tracing is off") || !strings.Contains(log.String(), "OTEL_TRACES_SAMPLER") {
		t.Errorf("logged %q", log.String())
	}
}

func TestWovenExitSendsWhatIsQueued(t *testing.T) {
	tracerinit.WovenExit() // without a tracer
	stop, batches := startWoven(t)
	defer stop()
	opentracing.StartSpan("job").Finish()
	tracerinit.WovenExit()
	tracerinit.WovenExit()
	if n := batches.Load(); n != 1 {
		t.Errorf("%d batches, want 1", n)
	}
}

func TestWovenExitLeavesTheProgramsOwnTracer(t *testing.T) {
	stop, _ := startWoven(t)
	defer stop()
	own, err := tracerinit.Start(tracerinit.Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")})
	if err != nil {
		t.Fatal(err)
	}
	tracerinit.WovenExit()
	if tracerinit.IsClosed(own) {
		t.Error("closed")
	}
	_ = own.Close()
}

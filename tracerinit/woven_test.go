package tracerinit

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
	keepGlobal(t)
	return wovenMain(), batches
}

// keepGlobal restores the global tracer when the test ends.
func keepGlobal(t *testing.T) {
	before := opentracing.GlobalTracer()
	t.Cleanup(func() { opentracing.SetGlobalTracer(before) })
}

func TestWovenMainStartsATracer(t *testing.T) {
	stop, batches := startWoven(t)
	tracer, ok := opentracing.GlobalTracer().(*Tracer)
	if !ok || !woven.Provisional() {
		t.Fatalf("the global tracer is %T", opentracing.GlobalTracer())
	}
	tracer.StartSpan("job").Finish()
	stop()
	stop() // woven code calls it once; twice is no harm
	if !tracer.closed.Load() || batches.Load() != 1 || woven.Provisional() {
		t.Errorf("closed %t, %d batches", tracer.closed.Load(), batches.Load())
	}
}

// TestStartReplacesTheTracerOfWovenMain though there may be only one.
func TestStartReplacesTheTracerOfWovenMain(t *testing.T) {
	stop, batches := startWoven(t)
	first := opentracing.GlobalTracer().(*Tracer)
	first.StartSpan("early").Finish()
	own, err := Start(Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")})
	if err != nil {
		t.Fatal(err)
	}
	if opentracing.GlobalTracer() != own || woven.Provisional() {
		t.Errorf("the global tracer is %v", opentracing.GlobalTracer())
	}
	if _, err := Start(Config{LookupEnv: env("OTEL_TRACES_EXPORTER=none")}); err == nil {
		t.Error("a second tracer of the program's own is no error")
	}
	eventually(t, "the first tracer is closed", first.closed.Load)
	if err := own.Close(); err != nil {
		t.Error(err)
	}
	stop()
	if !first.closed.Load() || batches.Load() != 1 {
		t.Errorf("closed %t, %d batches, want what was queued delivered", first.closed.Load(), batches.Load())
	}
}

func TestWovenMainLeavesATracerThatIsThere(t *testing.T) {
	keepGlobal(t)
	own, err := Start(Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")}) // such as in an init function
	if err != nil {
		t.Fatal(err)
	}
	wovenMain()()
	if opentracing.GlobalTracer() != own || own.closed.Load() {
		t.Error("the program's own tracer was replaced or closed")
	}
	_ = own.Close()
}

func TestWovenMainOfAWrongConfiguration(t *testing.T) {
	keepGlobal(t)
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	t.Setenv("OTEL_TRACES_SAMPLER", "sometimes")
	wovenMain()()
	if _, noop := opentracing.GlobalTracer().(opentracing.NoopTracer); !noop {
		t.Errorf("the global tracer is %T", opentracing.GlobalTracer())
	}
	if !strings.Contains(log.String(), "tracing is off") || !strings.Contains(log.String(), "OTEL_TRACES_SAMPLER") {
		t.Errorf("logged %q", log.String())
	}
}

func TestWovenExitSendsWhatIsQueued(t *testing.T) {
	wovenExit() // without a tracer
	stop, batches := startWoven(t)
	defer stop()
	opentracing.StartSpan("job").Finish()
	wovenExit()
	wovenExit()
	if n := batches.Load(); n != 1 {
		t.Errorf("%d batches, want 1", n)
	}
}

func TestWovenExitLeavesTheProgramsOwnTracer(t *testing.T) {
	stop, _ := startWoven(t)
	defer stop()
	own, err := Start(Config{Service: "own", LookupEnv: env("OTEL_TRACES_EXPORTER=none")})
	if err != nil {
		t.Fatal(err)
	}
	wovenExit()
	if own.closed.Load() {
		t.Error("closed")
	}
	_ = own.Close()
}

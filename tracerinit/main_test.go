package tracerinit

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"
)

// The caller of a trace that comes in.
const (
	callerTrace = "0123456789abcdef0123456789abcdef"
	callerSpan  = "00f067aa0ba902b7"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// env makes a LookupEnv of name=value strings.
func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// logBuffer is a logger's output, safe to read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// local is cfg for a test: not global, silent unless it says otherwise, and without this machine's environment.
func local(cfg Config) Config {
	cfg.Local = true
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = env()
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

// leavesOpen names the tests that look at how spans start, or at spans that outlive their tracer.
var leavesOpen = map[string]bool{
	"TestACustomSamplerDecidesWhereThereIsNoSpan": true, "TestAnExporterOfTheApplications": true,
	"TestChildrenContinueTheCallersTrace": true, "TestCountsAddUpUnderLoad": true,
	"TestPassingTracersInventNothing": true, "TestPassingTracersKeepBaggageWithoutATrace": true,
	"TestPerOperationStrategies": true, "TestRemoteAnswersWithTypesByNameAndNumber": true,
	"TestSamplerTagsSurviveManyStartTags": true, "TestSamplingIsParentBased": true,
	"TestSamplingPriorityTakesAnyNumber": true, "TestSpansStartAsThoseOfTheEngine": true,
	"TestSpansThatStartAfterShutdownAreCounted": true, "TestTraceIDsOf64BitsOnDemand": true,
	"TestUndecidedCallersAreDecidedByTheSampler": true,
}

// start starts a local tracer that ends with the test, and fails the test if a span of it is still open.
func start(t testing.TB, cfg Config) *Tracer {
	t.Helper()
	tracer, err := Start(local(cfg))
	if err != nil {
		t.Fatal(err)
	}
	test, _, _ := strings.Cut(t.Name(), "/")
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 && !leavesOpen[test] {
			t.Errorf("%d spans were never finished", n)
		}
		shutdown(t, tracer, 0)
	})
	return tracer
}

// shutdown ends the tracer within d, whatever has become of its spans.
func shutdown(t testing.TB, tracer *Tracer, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	began := time.Now()
	_ = tracer.Shutdown(ctx)
	if took := time.Since(began); took > d+5*time.Second {
		t.Errorf("Shutdown within %v took %v", d, took)
	}
}

// memory starts a local tracer that keeps its spans.
func memory(t testing.TB, cfg Config) (*Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	spans := jaeger.NewInMemoryReporter()
	cfg.Reporters = append(cfg.Reporters, spans)
	return start(t, cfg), spans
}

func contextOf(span opentracing.Span) jaeger.SpanContext {
	return span.Context().(jaeger.SpanContext)
}

// eventually waits until ok, at most ten seconds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

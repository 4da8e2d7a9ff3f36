package httpmw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/thrift-gen/sampling"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newJaeger returns a tracer with what it reports: ours if it samples all or nothing, else jaeger-client-go alone.
func newJaeger(t testing.TB, sampler jaeger.Sampler) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	reporter := jaeger.NewInMemoryReporter()
	return reportTo(t, sampler, reporter), reporter
}

// startKit starts a tracer of tracerinit that ends with the test, which fails if spans of it are still open then.
func startKit(t testing.TB, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Local, cfg.Service = true, "test"
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	return tracer
}

func reportTo(t testing.TB, sampler jaeger.Sampler, reporter jaeger.Reporter) opentracing.Tracer {
	t.Helper()
	kit := map[jaeger.Sampler]tracerinit.Sampler{always: tracerinit.Always(), never: tracerinit.Never()}
	if _, knows := kit[sampler]; !knows {
		return stock(t, sampler, reporter)
	}
	tracer := startKit(t, tracerinit.Config{Sampler: kit[sampler], Reporters: []jaeger.Reporter{reporter}})
	return tracer
}

// stock is jaeger-client-go with our propagator.
func stock(t testing.TB, sampler jaeger.Sampler, reporter jaeger.Reporter) opentracing.Tracer {
	t.Helper()
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tracer, closer := jaeger.NewTracer("test", sampler, reporter, append(append(p.TracerOptions(), jaeger.TracerOptions.Gen128Bit(true)), testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer
}

// serve runs h on a server with or without TLS and HTTP/2.
func serve(t testing.TB, h http.Handler, setup ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	for _, f := range setup {
		f(srv)
	}
	if srv.URL == "" {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

// one returns the only finished span. It fails the test if anything has panicked and was recovered: what no test expects
// to panic is a defect of the kit.
func one(t testing.TB, tracer *spantest.Tracer) *mocktracer.MockSpan {
	t.Helper()
	span := oneDespitePanics(t, tracer)
	if n := span.Tag("spanloom.hook_panics"); n != nil {
		t.Errorf("%v panics are hidden: %v", n, span)
	}
	return span
}

// oneDespitePanics returns the only finished span of a test in which hooks or tracers panic.
func oneDespitePanics(t testing.TB, tracer *spantest.Tracer) *mocktracer.MockSpan {
	t.Helper()
	spans := tracer.Finished()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1: %v", len(spans), spans)
	}
	return spans[0]
}

// handle serves one request without a network.
func handle(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantTags compares tags; a nil value means that the tag must not be there.
func wantTags(t testing.TB, span *mocktracer.MockSpan, want map[string]any) {
	t.Helper()
	for k, v := range want {
		if got := span.Tag(k); got != v {
			t.Errorf("tag %s = %v (%T), want %v (%T)", k, got, got, v, v)
		}
	}
}

// errorLogs returns the error logs of a span, each as its fields.
func errorLogs(span *mocktracer.MockSpan) (logs []map[string]string) {
	for _, rec := range span.Logs() {
		m := map[string]string{}
		for _, f := range rec.Fields {
			m[f.Key] = f.ValueString
		}
		if m["event"] == "error" {
			logs = append(logs, m)
		}
	}
	return logs
}

func get(t testing.TB, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// eventually waits, for a bounded time, until cond holds.
func eventually(t testing.TB, cond func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !cond() {
		select {
		case <-deadline:
			t.Fatal("waited in vain")
		case <-time.After(time.Millisecond):
		}
	}
}

// syncLog collects a server's error log.
type syncLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var always, never = jaeger.NewConstSampler(true), jaeger.NewConstSampler(false)

// byOperation samples the operations named.
func byOperation(names ...string) jaeger.Sampler {
	opts := jaeger.PerOperationSamplerParams{MaxOperations: len(names), Strategies: &sampling.PerOperationSamplingStrategies{}}
	for _, name := range names {
		opts.Strategies.PerOperationStrategies = append(opts.Strategies.PerOperationStrategies, &sampling.OperationSamplingStrategy{
			Operation: name, ProbabilisticSampling: &sampling.ProbabilisticSamplingStrategy{SamplingRate: 1},
		})
	}
	return jaeger.NewPerOperationSampler(opts)
}

func spanName(reporter *jaeger.InMemoryReporter) string {
	return reporter.GetSpans()[0].(*jaeger.Span).OperationName()
}

package tracerinit_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testnet"
	"github.com/spanloom/spanloom/tracerinit"
)

// global is cfg for a test of the global tracer.
func global(cfg tracerinit.Config) tracerinit.Config {
	cfg = local(cfg)
	cfg.Local = false
	return cfg
}

// restoreGlobal puts the global tracer back when the test ends.
func restoreGlobal(t *testing.T) {
	before := opentracing.GlobalTracer()
	t.Cleanup(func() { opentracing.SetGlobalTracer(before) })
}

func TestStartMakesTheTracerGlobalOnce(t *testing.T) {
	restoreGlobal(t)
	reporters := []jaeger.Reporter{jaeger.NewNullReporter()}
	first, err := tracerinit.Start(global(tracerinit.Config{Reporters: reporters}))
	if err != nil {
		t.Fatal(err)
	}
	if opentracing.GlobalTracer() != opentracing.Tracer(first) {
		t.Error("the tracer is not the global one")
	}
	if _, err = tracerinit.Start(global(tracerinit.Config{Reporters: reporters})); err == nil || !strings.Contains(err.Error(), "lifecycle_test.go:") {
		t.Errorf("a second Start says %v", err)
	}
	start(t, tracerinit.Config{Reporters: reporters})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if opentracing.GlobalTracer() != opentracing.Tracer(first) {
		t.Error("Shutdown took the global tracer away")
	}
	second, err := tracerinit.Start(global(tracerinit.Config{Reporters: reporters}))
	if err != nil || opentracing.GlobalTracer() != opentracing.Tracer(second) {
		t.Fatalf("after Shutdown another Start does not replace the global tracer: %v", err)
	}
	_ = second.Close()
}

func TestAFailedStartLeavesNothingBehind(t *testing.T) {
	restoreGlobal(t)
	before := opentracing.GlobalTracer()
	sampling := newStrategies(t, text200(everything))
	_, err := tracerinit.Start(global(tracerinit.Config{
		Sampler: tracerinit.Remote(sampling.URL, tracerinit.RemoteOptions{}), Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1"), tracerinit.JaegerHTTP("nowhere")},
	}))
	if err == nil || opentracing.GlobalTracer() != before {
		t.Errorf("%v; the global tracer is %T", err, opentracing.GlobalTracer())
	} // goleak sees what goes on
}

func TestSpansThatEndAfterShutdownAreCounted(t *testing.T) {
	tracer, spans := memory(t, tracerinit.Config{Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1")}})
	open := tracer.StartSpan("open")
	if err := tracer.Shutdown(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
	child := open.Tracer().StartSpan("child", opentracing.ChildOf(open.Context()))
	child.Finish()
	open.Finish()
	s := tracer.Stats()
	if s.Started != 2 || s.Open != 0 || s.Reported != 2 || s.Exporters[0].Reported != 2 || s.Exporters[0].Dropped.Closed != 2 || s.Reporters[0].Closed != 2 {
		t.Errorf("%+v", s)
	}
	if n := spans.SpansSubmitted(); n != 0 {
		t.Errorf("%d spans were reported to a closed reporter", n)
	}
	if got := injected(t, tracer, open.Context()); got["Traceparent"] == "" {
		t.Error("a span that outlives its tracer cannot be injected")
	}
}

func TestSpansThatStartAfterShutdownAreCounted(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1")}})
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	sampled := incoming(t, tracer, "traceparent", traceparent)
	unsampled := incoming(t, tracer, "traceparent", traceparent[:len(traceparent)-1]+"0")
	open := tracer.StartSpan("open")
	defer open.Finish()
	for range 3 {
		tracer.StartSpan("root").Finish()
	}
	child := tracer.StartSpan("child", opentracing.ChildOf(sampled))
	child.Finish()
	child.FinishWithOptions(opentracing.FinishOptions{})
	tracer.StartSpan("unsampled", opentracing.ChildOf(unsampled)).Finish()
	s := tracer.Stats()
	if s.Started != 6 || s.Open != 1 || s.Unsampled != 1 || s.Reported != 4 || s.Exporters[0].Reported != 4 || s.Exporters[0].Dropped.Closed != 4 || s.Reporters[0].Closed != 4 {
		t.Errorf("%+v", s)
	}
	never, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Never()})
	never.Close()
	never.StartSpan("x").Finish()
	if s := never.Stats(); s.Started != 1 || s.Unsampled != 1 || s.Reported != 0 {
		t.Errorf("with a sampler that says no: %+v", s)
	}
}

func TestShutdownIsIdempotentAndSafeAtOnce(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1")}})
	tracer.StartSpan("x").Finish()
	var wg sync.WaitGroup
	var mu sync.Mutex
	said := map[string]int{}
	for range 8 {
		wg.Go(func() {
			err := tracer.Shutdown(within(t, 50*time.Millisecond))
			mu.Lock()
			defer mu.Unlock()
			said[fmt.Sprint(err)]++
		})
	}
	wg.Wait()
	said[fmt.Sprint(tracer.Close())]++
	if len(said) != 1 {
		t.Errorf("Shutdown says different things: %v", said)
	}
}

// hanging is a reporter that never closes while the test runs.
type hanging struct{ release chan struct{} }

func (hanging) Report(*jaeger.Span) {}
func (h hanging) Close()            { <-h.release }

func TestShutdownDoesNotWaitForAReporterForever(t *testing.T) {
	h := hanging{make(chan struct{})}
	t.Cleanup(func() { close(h.release) })
	tracer, err := tracerinit.Start(local(tracerinit.Config{Reporters: []jaeger.Reporter{h, panicking{}}, ShutdownTimeout: 50 * time.Millisecond}))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = tracer.Close()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err == nil || !strings.Contains(err.Error(), "tracerinit_test.hanging") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close says %v", err)
	}
}

func TestFlushDeliversToEveryExporter(t *testing.T) {
	one, two := newSink(t, ""), newSink(t, "")
	tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(one.URL), tracerinit.JaegerHTTP(two.URL)}, Queue: tracerinit.Queue{Interval: time.Hour}})
	for range 10 {
		tracer.StartSpan("x").Finish()
	}
	if err := tracer.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	s := tracer.Stats()
	for _, e := range s.Exporters {
		if e.Reported != 10 || e.Delivered != 10 || e.Queued+e.InFlight+e.Dropped.Total() != 0 {
			t.Errorf("%+v", e)
		}
	}
	if one.posts() == 0 || two.posts() == 0 {
		t.Error("an exporter sent nothing")
	}
}

func TestTheQueueIsAsConfigured(t *testing.T) {
	for name, cfg := range map[string]tracerinit.Config{
		"code":        {Queue: tracerinit.Queue{Size: 3, Interval: time.Hour}},
		"environment": {LookupEnv: env("OTEL_BSP_MAX_QUEUE_SIZE=3", "OTEL_BSP_SCHEDULE_DELAY=3600000")},
		"mixed":       {Queue: tracerinit.Queue{Size: 3}, LookupEnv: env("OTEL_BSP_MAX_QUEUE_SIZE=9", "JAEGER_REPORTER_FLUSH_INTERVAL=1h")},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Exporters, cfg.Queue.Batch = []tracerinit.Exporter{tracerinit.JaegerHTTP("http://127.0.0.1:1")}, 3
			tracer := start(t, cfg)
			for range 20 {
				tracer.StartSpan("x").Finish()
			}
			// Three wait, and no more than two batches of three can be in flight.
			if e := tracer.Stats().Exporters[0]; e.Dropped.QueueFull < 11 || e.Queued > 3 {
				t.Errorf("%s: %+v", name, e)
			}
		})
	}
}

// sink is a backend that takes spans under a path, and refuses all else.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	taken []*http.Request
}

func newSink(t testing.TB, path string) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path != "" && r.URL.Path != path {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken = append(s.taken, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) posts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taken)
}

func (s *sink) header(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == 0 {
		return "nothing was taken"
	}
	return s.taken[0].Header.Get(name)
}

func TestVendorEndpointsWorkFromTheEnvironment(t *testing.T) {
	const token = "aaa@bbb_0123456789ccc@ddd"
	for name, at := range map[string]struct{ path, variable, given string }{
		"jaeger":       {"/adapt_" + token + "/api/traces", "JAEGER_ENDPOINT", "/adapt_" + token + "/api/traces"},
		"otlp":         {"/adapt_" + token + "/api/otlp/traces", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/adapt_" + token + "/api/otlp/traces"},
		"otlp general": {"/adapt_" + token + "/api/otlp/traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "/adapt_" + token + "/api/otlp/traces"},
		"base":         {"/base/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT", "/base/"},
	} {
		t.Run(name, func(t *testing.T) {
			vendor := newSink(t, at.path)
			tracer := start(t, tracerinit.Config{LookupEnv: env(at.variable + "=" + vendor.URL + at.given)})
			tracer.StartSpan("x").Finish()
			if err := tracer.Flush(within(t, time.Minute)); err != nil {
				t.Fatal(err)
			}
			if s := tracer.Stats().Exporters[0]; s.Delivered != 1 {
				t.Errorf("%+v", s)
			}
			var log logBuffer
			wrong := start(t, tracerinit.Config{Logger: log.Logger(), LookupEnv: env(at.variable + "=" + vendor.URL + "/wrong_" + token + "/traces")})
			wrong.StartSpan("x").Finish()
			errFlush := wrong.Flush(within(t, time.Minute))
			s := wrong.Stats().Exporters[0]
			host := strings.TrimPrefix(vendor.URL, "http://")
			if s.Dropped.Refused != 1 || !strings.Contains(s.LastError, "403") || !strings.Contains(s.LastError, host) {
				t.Errorf("a wrong token: %+v", s)
			}
			errClose := wrong.Close()
			stats, _ := json.Marshal(wrong.Stats())
			if all := fmt.Sprint(string(stats), wrong.Settings(), errFlush, errClose, log.String()); strings.Contains(all, token) {
				t.Errorf("the token is logged: %s", all)
			}
		})
	}
}

func TestCredentialsFromTheEnvironment(t *testing.T) {
	for name, at := range map[string]struct {
		pairs        []string
		header, want string
	}{
		"basic":                  {[]string{"JAEGER_USER=u", "JAEGER_PASSWORD=secret-1", "JAEGER_ENDPOINT="}, "Authorization", "Basic dTpzZWNyZXQtMQ=="},
		"bearer":                 {[]string{"JAEGER_AUTH_TOKEN=secret-1", "JAEGER_ENDPOINT="}, "Authorization", "Bearer secret-1"},
		"headers":                {[]string{"OTEL_EXPORTER_OTLP_HEADERS=Authentication=aa@b%20b=,x=y", "OTEL_EXPORTER_OTLP_ENDPOINT="}, "Authentication", "aa@b b="},
		"the last header wins":   {[]string{"OTEL_EXPORTER_OTLP_HEADERS=z=1,Z=2,z=3,Z=4", "OTEL_EXPORTER_OTLP_ENDPOINT="}, "Z", "4"},
		"headers for traces win": {[]string{"OTEL_EXPORTER_OTLP_HEADERS=k=general", "OTEL_EXPORTER_OTLP_TRACES_HEADERS=k=traces", "OTEL_EXPORTER_OTLP_ENDPOINT="}, "K", "traces"},
		"compression":            {[]string{"OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_EXPORTER_OTLP_ENDPOINT="}, "Content-Encoding", "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			backend := newSink(t, "")
			at.pairs[len(at.pairs)-1] += backend.URL
			var log logBuffer
			tracer := start(t, tracerinit.Config{Logger: log.Logger(), LookupEnv: env(at.pairs...)})
			tracer.StartSpan("x").Finish()
			if err := tracer.Flush(within(t, time.Minute)); err != nil {
				t.Fatal(err)
			}
			if got := backend.header(at.header); got != at.want {
				t.Errorf("%s: %s is %q, want %q", name, at.header, got, at.want)
			}
			if shown := fmt.Sprint(tracer.Settings(), log.String()); strings.Contains(shown, "secret-1") {
				t.Errorf("%s: a secret is shown: %s", name, shown)
			}
		})
	}
	for _, pairs := range [][]string{{"JAEGER_USER=u"}, {"JAEGER_PASSWORD=secret-1"}} {
		t.Run(fmt.Sprint(pairs), func(t *testing.T) {
			_, err := tracerinit.Start(local(tracerinit.Config{LookupEnv: env(append(pairs, "JAEGER_ENDPOINT=http://j")...)}))
			if err == nil || !strings.Contains(err.Error(), "JAEGER_USER") || strings.Contains(err.Error(), "secret-1") {
				t.Errorf("%v: %v", pairs, err)
			}
		})
	}
}

func TestLogSpansWritesALineForEachSpan(t *testing.T) {
	var log logBuffer
	tracer := start(t, tracerinit.Config{Logger: log.Logger(), LookupEnv: env("JAEGER_REPORTER_LOG_SPANS=true", "OTEL_TRACES_EXPORTER=none")})
	span := tracer.StartSpan("checkout")
	span.Finish()
	if s := log.String(); !strings.Contains(s, "operation=checkout") || !strings.Contains(s, contextOf(span).TraceID().String()) {
		t.Errorf("%q", s)
	}
}

func TestTLSFilesFromTheEnvironment(t *testing.T) {
	backend := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(backend.Close)
	file := filepath.Join(t.TempDir(), "roots.pem")
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: backend.Certificate().Raw})
	if err := os.WriteFile(file, roots, 0o600); err != nil {
		t.Fatal(err)
	}
	tracer := start(t, tracerinit.Config{LookupEnv: env("OTEL_EXPORTER_OTLP_ENDPOINT="+backend.URL, "OTEL_EXPORTER_OTLP_CERTIFICATE="+file)})
	tracer.StartSpan("x").Finish()
	if err := tracer.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if s := tracer.Stats().Exporters[0]; s.Delivered != 1 {
		t.Errorf("%+v", s)
	}
	if s := find(tracer.Settings(), "exporter.certificate"); len(s) != 1 || s[0].Value != file {
		t.Errorf("%v", s)
	}
}

func TestAgentFromTheEnvironment(t *testing.T) {
	agent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close() })
	_, port, _ := net.SplitHostPort(agent.LocalAddr().String())
	tracer := start(t, tracerinit.Config{LookupEnv: env("JAEGER_AGENT_HOST=127.0.0.1", "JAEGER_AGENT_PORT="+port)})
	tracer.StartSpan("checkout").Finish()
	if err := tracer.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	_ = agent.SetReadDeadline(time.Now().Add(10 * time.Second))
	packet := make([]byte, 65536)
	n, _, err := agent.ReadFrom(packet)
	if err != nil || !strings.Contains(string(packet[:n]), "checkout") {
		t.Errorf("%v: %q", err, packet[:n])
	}
}

func TestAProgramWithoutACollectorExitsSoon(t *testing.T) {
	nobody := "http://" + testnet.Refusing(t)
	for name, e := range map[string]tracerinit.Exporter{
		"otlp/http": tracerinit.OTLPHTTP(nobody), "jaeger/http": tracerinit.JaegerHTTP(nobody),
		"jaeger/udp": tracerinit.JaegerUDP(testnet.RefusingUDP(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each waits for a second
			tracer := start(t, tracerinit.Config{Exporters: []tracerinit.Exporter{e}, ShutdownTimeout: time.Minute})
			tracer.StartSpan("x").Finish()
			began := time.Now()
			if err := tracer.Close(); err == nil || time.Since(began) > 10*time.Second {
				t.Errorf("%s: Close took %v: %v", name, time.Since(began), err)
			}
		})
	}
}

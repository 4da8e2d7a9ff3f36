package prommw_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// start makes a tracer that reports to a memory.
func start(t testing.TB, sampler tracerinit.Sampler, disabled bool) (*tracerinit.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	memory := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, Sampler: sampler, Disabled: disabled, Reporters: []jaeger.Reporter{memory},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tick := time.NewTicker(time.Millisecond) // a span ends after its observers, maybe in another goroutine
		defer tick.Stop()
		for end := time.Now().Add(10 * time.Second); tracer.Stats().Open != 0 && time.Now().Before(end); {
			<-tick.C
		}
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	return tracer, memory
}

// gather returns the metrics of a family.
func gather(t testing.TB, c prometheus.Collector, family string) []*dto.Metric {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == family {
			return f.Metric
		}
	}
	return nil
}

func requests(metrics []*dto.Metric) (n uint64) {
	for _, m := range metrics {
		n += m.Histogram.GetSampleCount()
	}
	return n
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func exemplars(metrics []*dto.Metric) (ids []string) {
	for _, m := range metrics {
		for _, b := range m.Histogram.Bucket {
			if b.Exemplar != nil {
				for _, l := range b.Exemplar.Label {
					if l.GetName() == "trace_id" {
						ids = append(ids, l.GetValue())
					}
				}
			}
		}
	}
	return ids
}

// TestEveryRequestIsCountedOnce, however it is traced and however it ends.
func TestEveryRequestIsCountedOnce(t *testing.T) {
	handlers := map[string]struct {
		handler   http.HandlerFunc
		errorType string
	}{
		"ok":       {func(w http.ResponseWriter, r *http.Request) {}, ""},
		"failed":   {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, "503"},
		"panicked": {func(w http.ResponseWriter, r *http.Request) { panic("oh") }, "panic"},
		"aborted":  {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "aborted"},
		"hijacked": {func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.Close()
			}
		}, ""},
		"streamed": {func(w http.ResponseWriter, r *http.Request) {
			for range 3 {
				io.WriteString(w, "part")
				w.(http.Flusher).Flush()
			}
		}, ""},
		"method changed": {func(w http.ResponseWriter, r *http.Request) { r.Method = "PUT" }, ""},
	}
	always, memory := start(t, tracerinit.Always(), false)
	never, _ := start(t, tracerinit.Never(), false)
	disabled, _ := start(t, tracerinit.Always(), true)
	filter := httpmw.WithFilter(func(*http.Request) bool { return false })
	tracers := map[string]struct {
		tracer opentracing.Tracer
		opts   []httpmw.ServerOption
	}{
		"sampled": {always, nil}, "unsampled": {never, nil}, "disabled": {disabled, nil},
		"filtered": {always, []httpmw.ServerOption{filter}}, "no tracer": {opentracing.NoopTracer{}, nil},
	}
	for tracing, tr := range tracers {
		for name, h := range handlers {
			t.Run(tracing+", "+name, func(t *testing.T) {
				memory.Reset()
				m := prommw.New(prommw.Config{})
				handler := httpmw.Middleware(tr.tracer, append(tr.opts, m.HTTPServer())...)(h.handler)
				// The server is closed, and its handlers done, before the counts are read.
				srv := httptest.NewUnstartedServer(handler)
				srv.Config.ErrorLog = discard
				done := make(chan struct{})
				srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(done)
					handler.ServeHTTP(w, r)
				})
				srv.Start()
				defer srv.Close()
				req, _ := http.NewRequest("POST", srv.URL, nil) // not repeated by the transport
				if resp, err := srv.Client().Do(req); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				<-done
				got := gather(t, m, "http_server_request_duration_seconds")
				if len(got) != 1 || requests(got) != 1 {
					t.Fatalf("%d requests in %d series, want 1 in 1", requests(got), len(got))
				}
				if e := label(got[0], "error_type"); e != h.errorType {
					t.Errorf("error_type %q, want %q", e, h.errorType)
				}
				if n := gather(t, m, "http_server_active_requests")[0].Gauge.GetValue(); n != 0 {
					t.Errorf("%v requests in flight", n)
				}
				checkExemplars(t, exemplars(got), memory.GetSpans())
			})
		}
	}
}

// checkExemplars wants the id of the one span, if there is one.
func checkExemplars(t *testing.T, ids []string, spans []opentracing.Span) {
	t.Helper()
	if len(ids) != len(spans) {
		t.Fatalf("%d exemplars for %d sampled spans", len(ids), len(spans))
	}
	for i, s := range spans {
		if want := carrier.TraceID(s.Context()); ids[i] != want {
			t.Errorf("exemplar %s, want %s", ids[i], want)
		}
	}
}

func TestStrangeNamesStayWithinTheLimit(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: 50})
	route := ""
	handler := httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.NotFoundHandler())
	client := httpmw.Transport(opentracing.NoopTracer{}, failing{}, m.HTTPClient())
	unary := grpcmw.UnaryServerInterceptor(opentracing.NoopTracer{}, m.GRPCServer())
	call := grpcmw.UnaryClientInterceptor(opentracing.NoopTracer{}, m.GRPCClient())
	const n = 10_000
	for i := range n {
		route = fmt.Sprintf("/strange\xff/%d", i)
		r := httptest.NewRequest(fmt.Sprintf("BREW%d", i), "/", nil)
		r.URL.Path = route
		handler.ServeHTTP(httptest.NewRecorder(), r)
		client.RoundTrip(r)
		unary(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: route},
			func(context.Context, any) (any, error) { return nil, nil })
		call(context.Background(), route, nil, nil, nil,
			func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
				return status.Error(codes.Code(i), "")
			})
	}
	for _, family := range []string{
		"http_server_request_duration_seconds", "http_client_request_duration_seconds",
		"rpc_server_call_duration_seconds", "rpc_client_call_duration_seconds",
	} {
		t.Run(family, func(t *testing.T) {
			got := gather(t, m, family)
			if len(got) > 52 || requests(got) != n {
				t.Errorf("%d series with %d requests, want at most 52 with %d", len(got), requests(got), n)
			}
		})
	}
	var over float64
	for _, c := range gather(t, m, "prommw_overflowed_observations_total") {
		over += c.Counter.GetValue()
	}
	if over == 0 {
		t.Error("no overflow is counted")
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

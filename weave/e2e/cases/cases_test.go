//go:build woven

// Package cases has tests that are built woven, by TestWovenCases of the package above: there is nothing by hand in
// them but what they are about.
package cases

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
	"github.com/spanloom/spanloom/traceview"
)

// startTracer makes a tracer that reports to memory the global one.
func startTracer(t *testing.T, exporters ...tracerinit.Exporter) (*tracerinit.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	reporter := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "cases", Reporters: []jaeger.Reporter{reporter}, Exporters: exporters,
		Queue:     tracerinit.Queue{Interval: 20 * time.Millisecond},
		Logger:    slog.New(slog.DiscardHandler),
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tracer.Close()
		opentracing.SetGlobalTracer(opentracing.NoopTracer{})
	})
	return tracer, reporter
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello by ", r.Proto) }

func fetch(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// wantSpans compares the spans, each as its kind and name. Those of servers end at about the time that the client has
// the response, so that the last of them is waited for.
func wantSpans(t *testing.T, tracer *tracerinit.Tracer, reporter *jaeger.InMemoryReporter, want ...string) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for tracer.Stats().Open > 0 || reporter.SpansSubmitted() < len(want) {
		select {
		case <-tick.C:
			continue
		case <-deadline:
		}
		break
	}
	var got []string
	for _, s := range reporter.GetSpans() {
		s := s.(*jaeger.Span)
		got = append(got, fmt.Sprintf("%v %s", s.Tags()["span.kind"], s.OperationName()))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans, -want +got:\n%s", diff)
	}
}

func TestHTTP2AndTheServersFields(t *testing.T) {
	tracer, reporter := startTracer(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", hello)
	srv := httptest.NewUnstartedServer(mux)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	if body := fetch(t, srv.Client(), srv.URL+"/users/7"); body != "hello by HTTP/2.0" {
		t.Error(body)
	}
	if srv.Config.Handler != http.Handler(mux) { // read beside the goroutine that serves, so that the race detector sees it
		t.Error("the server's Handler was changed")
	}
	if c := http.DefaultTransport.(*http.Transport).Clone(); c == nil {
		t.Error("no clone")
	}
	wantSpans(t, tracer, reporter, "client GET", "server GET /users/{id}")
}

func TestHandlerReplacedWhileServing(t *testing.T) {
	tracer, reporter := startTracer(t)
	srv := httptest.NewServer(nil)
	defer srv.Close()
	router := chi.NewRouter()
	router.Get("/late/{id}", hello)
	srv.Config.Handler = router
	fetch(t, http.DefaultClient, srv.URL+"/late/1")
	wantSpans(t, tracer, reporter, "client GET", "server GET /late/{id}")
}

func TestRoutersInsideOfOtherHandlers(t *testing.T) {
	shop := chi.NewRouter()
	shop.Route("/shop", func(r chi.Router) { r.Get("/items/{id}", hello) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /parts/{id}", hello)
	mux.Handle("/shop/", shop)
	for name, h := range map[string]http.Handler{
		"timeout": http.TimeoutHandler(mux, time.Minute, "late"),
		"gzip": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			z := gzip.NewWriter(w)
			defer z.Close()
			mux.ServeHTTP(w, r.WithContext(r.Context()))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := startTracer(t)
			srv := httptest.NewServer(h)
			defer srv.Close()
			for _, path := range []string{"/parts/1", "/shop/items/1", "/shop/x", "/x"} {
				fetch(t, http.DefaultClient, srv.URL+path)
			}
			wantSpans(t, tracer, reporter, "client GET", "client GET", "client GET", "client GET",
				"server GET /parts/{id}", "server GET /shop/items/{id}", "server GET", "server GET")
		})
	}
}

func TestReverseProxy(t *testing.T) {
	tracer, reporter := startTracer(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /behind/{id}", hello)
	backend := httptest.NewServer(mux)
	defer backend.Close()
	target, _ := url.Parse(backend.URL)
	front := httptest.NewServer(httputil.NewSingleHostReverseProxy(target))
	defer front.Close()
	fetch(t, http.DefaultClient, front.URL+"/behind/1")
	wantSpans(t, tracer, reporter, "client GET", "server GET", "client GET", "server GET /behind/{id}")
	traces := map[string]bool{}
	for _, s := range reporter.GetSpans() {
		traces[s.(*jaeger.Span).SpanContext().TraceID().String()] = true
	}
	if len(traces) != 1 {
		t.Errorf("%d traces, want 1", len(traces))
	}
}

// TestByHandInsideOfWoven has a filter, a public endpoint and an observer, each in a server that looks like none from
// outside.
func TestByHandInsideOfWoven(t *testing.T) {
	no := func(*http.Request) bool { return false }
	yes := func(*http.Request) bool { return true }
	for name, c := range map[string]struct {
		option httpmw.ServerOption
		want   []string
	}{
		"filter":          {httpmw.WithFilter(no), []string{"client GET"}},
		"silence":         {httpmw.WithSilence(yes), []string{"client GET"}},
		"public endpoint": {httpmw.WithPublicEndpoint(yes), []string{"client GET", "server GET"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := startTracer(t)
			inner := httpmw.Middleware(nil, c.option)(http.HandlerFunc(hello))
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, r) }))
			defer srv.Close()
			fetch(t, http.DefaultClient, srv.URL)
			wantSpans(t, tracer, reporter, c.want...)
			traces := map[string]bool{}
			for _, s := range reporter.GetSpans() {
				traces[s.(*jaeger.Span).SpanContext().TraceID().String()] = true
			}
			if len(traces) != len(c.want) {
				t.Errorf("%d traces, want %d: the caller of a public endpoint is no parent", len(traces), len(c.want))
			}
		})
	}
}

func TestTransportByHandAboveWoven(t *testing.T) {
	tracer, reporter := startTracer(t)
	srv := httptest.NewServer(httpmw.Middleware(opentracing.NoopTracer{})(http.HandlerFunc(hello)))
	defer srv.Close()
	fetch(t, httpmw.Client(nil, nil), srv.URL)
	fetch(t, httpmw.Client(nil, nil, httpmw.WithFilter(func(*http.Request) bool { return false })), srv.URL)
	fetch(t, httpmw.Client(opentracing.NoopTracer{}, nil), srv.URL)
	wantSpans(t, tracer, reporter, "client GET")
}

// TestOTLPOverGRPC exports to a server in this process, which is not traced by decision, by a connection that is woven.
func TestOTLPOverGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan struct{}, 100)
	srv := grpc.NewServer(append(grpcmw.ServerOptions(opentracing.NoopTracer{}),
		grpc.UnknownServiceHandler(func(_ any, ss grpc.ServerStream) error {
			received <- struct{}{}
			return ss.SendMsg(&grpc_health_v1.HealthCheckRequest{}) // an empty message
		}))...)
	go func() { _ = srv.Serve(l) }()
	defer srv.Stop()
	tracer, reporter := startTracer(t, otlpgrpc.New("http://"+l.Addr().String()))
	const intervals = 10
	want := make([]string, intervals)
	for i := range intervals {
		tracer.StartSpan("job").Finish()
		<-received
		want[i] = "<nil> job"
	}
	wantSpans(t, tracer, reporter, want...)
}

func TestHealthChecksAreNotTraced(t *testing.T) {
	tracer, reporter := startTracer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(srv, health.NewServer())
	go func() { _ = srv.Serve(l) }()
	defer srv.Stop()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), new(grpc_health_v1.HealthCheckRequest)); err != nil {
		t.Fatal(err)
	}
	wantSpans(t, tracer, reporter)
}

func TestPagesOfTracesAreNotTraced(t *testing.T) {
	tracer, reporter := startTracer(t)
	mux := http.NewServeMux()
	mux.Handle("/debug/traces/", traceview.New(traceview.Config{Prefix: "/debug/traces"}))
	mux.HandleFunc("/", hello)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	fetch(t, http.DefaultClient, srv.URL+"/debug/traces/")
	fetch(t, http.DefaultClient, srv.URL+"/")
	wantSpans(t, tracer, reporter, "client GET", "client GET", "server GET /")
}

func TestNoTracerIsStartedForTests(t *testing.T) {
	if name := fmt.Sprintf("%T", opentracing.GlobalTracer()); !strings.Contains(name, "Noop") {
		t.Errorf("the global tracer is %s", name)
	}
}

package jaeger_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	client "github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/examples/grpc/inventory"
	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestSameRequestsByEveryRoad is TestSameTraceByEveryRoad with what the middlewares make of real requests: routes,
// statuses, errors, a panic with its stack, the kinds of RPC, links of a public endpoint, tracestate of a caller.
func TestSameRequestsByEveryRoad(t *testing.T) {
	all := roads(t)
	reporter := client.NewInMemoryReporter()
	cfg := tracerinit.Config{
		Service: "shop", Queue: tracerinit.Queue{Interval: 10 * time.Millisecond}, Reporters: []client.Reporter{reporter},
	}
	for _, r := range all {
		cfg.Exporters = append(cfg.Exporters, r.exporter)
	}
	tracer := start(t, cfg)
	base := serveShop(t, tracer)
	traces := map[string]struct {
		path  string
		spans int
		id    string
	}{
		"unary, found":      {path: "/products/42", spans: 4},
		"unary, not found":  {path: "/products/none", spans: 4},
		"streams":           {path: "/slow", spans: 4},
		"a server error":    {path: "/fail", spans: 1},
		"a panic":           {path: "/panic", spans: 1},
		"no route":          {path: "/nowhere", spans: 1},
		"a public endpoint": {path: "/public", spans: 1},
	}
	for name, v := range traces {
		v.id = visit(t, base+v.path, reporter)
		traces[name] = v
	}
	shutdown(t, tracer)
	for name, v := range traces {
		t.Run(name, func(t *testing.T) { sameByEveryRoad(t, all, v.id, v.spans) })
	}
	spans := all[2].backend.Trace(t, traces["a panic"].id, 1)
	if i := slices.IndexFunc(spans[0].Logs, func(l jaeger.Log) bool {
		return slices.ContainsFunc(l.Fields, func(kv jaeger.KeyValue) bool {
			return kv.Key == "stack" && strings.Contains(kv.Value.String(), "middleware_test.go")
		})
	}); i < 0 {
		t.Errorf("no stack of the panic: %+v", spans[0].Logs)
	}
}

// sameByEveryRoad compares the trace of id, which has so many spans, in the backends of all roads.
func sameByEveryRoad(t *testing.T, all []road, id string, spans int) {
	want := all[0].backend.Trace(t, id, spans)
	if len(want) != spans {
		t.Errorf("%d spans, want %d:\n%s", len(want), spans, jaeger.Tree(want))
	}
	for _, r := range all[1:] {
		t.Run(r.name, func(t *testing.T) {
			if diff := cmp.Diff(comparable(want, want), comparable(r.backend.Trace(t, id, spans), want)); diff != "" {
				t.Errorf("-%s +%s:\n%s", all[0].name, r.name, diff)
			}
		})
	}
}

// visit makes a request and returns the id of its trace.
func visit(t *testing.T, url string, reporter *client.InMemoryReporter) (id string) {
	t.Helper()
	reporter.Reset()
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	if strings.HasSuffix(url, "/public") {
		req.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	wait.For(t, "the request's span", func() (any, bool) {
		for _, s := range reporter.GetSpans() {
			if sc := s.Context().(client.SpanContext); sc.ParentID() == 0 {
				id = carrier.TraceID(sc)
			}
		}
		return reporter.SpansSubmitted(), id != ""
	})
	return id
}

func serveShop(t *testing.T, tracer opentracing.Tracer) (url string) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- inventory.Serve(ctx, lis, tracer, slog.New(slog.DiscardHandler)) }()
	conn, err := grpc.NewClient(lis.Addr().String(),
		append(grpcmw.DialOptions(tracer), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	inventory := inventorypb.NewInventoryClient(conn)
	r := chi.NewRouter()
	r.Use(recoverer)
	r.Use(httpmw.Middleware(tracer, httpmw.WithSemconv(httpmw.Both),
		httpmw.WithPublicEndpoint(func(r *http.Request) bool { return r.URL.Path == "/public" })))
	r.Get("/products/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := inventory.GetStock(r.Context(), &inventorypb.GetStockRequest{ProductId: chi.URLParam(r, "id")}); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
		}
	})
	r.Get("/slow", func(_ http.ResponseWriter, r *http.Request) {
		watch, err := inventory.WatchStock(r.Context(), &inventorypb.WatchStockRequest{ProductId: "1", Updates: 2})
		for err == nil {
			_, err = watch.Recv()
		}
	})
	r.Get("/fail", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) })
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("the shelf fell over") })
	r.Get("/public", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		server.Close()
		conn.Close()
		cancel()
		<-served
	})
	return server.URL
}

// recoverer makes a 500 of a panic.
func recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

package migration_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-client-go/rpcmetrics"
	"github.com/uber/jaeger-lib/metrics/metricstest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/jaegercfg"
)

// mixedTracer is a stock tracer that samples nothing, with rpcmetrics and the kit's formats.
func mixedTracer(t *testing.T) (opentracing.Tracer, *metricstest.Factory, *carrier.Propagator) {
	t.Helper()
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	factory := metricstest.NewFactory(0)
	observer := rpcmetrics.NewObserver(factory, rpcmetrics.DefaultNameNormalizer)
	cfg := config.Configuration{ServiceName: "mixed", Sampler: &config.SamplerConfig{Type: "const", Param: 0}}
	options := append(carrier.Options(p, config.Injector, config.Extractor),
		config.Observer(observer), config.Reporter(jaeger.NewNullReporter()))
	tracer, closer, err := cfg.NewTracer(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	return tracer, factory, p
}

// movedTracer is the kit's, from the same configuration.
func movedTracer(t *testing.T) (opentracing.Tracer, *metricstest.Factory, *carrier.Propagator) {
	t.Helper()
	factory := metricstest.NewFactory(0)
	observer := rpcmetrics.NewObserver(factory, rpcmetrics.DefaultNameNormalizer)
	kit, err := jaegercfg.Convert(
		config.Configuration{ServiceName: "moved", Sampler: &config.SamplerConfig{Type: "const", Param: 0}},
		config.Observer(observer), config.Reporter(jaeger.NewNullReporter()))
	if err != nil {
		t.Fatal(err)
	}
	kit.Local = true
	tracer, err := tracerinit.Start(kit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tracer.Close() })
	return tracer, factory, tracer.Propagator()
}

func TestRPCMetricsCountUnsampledFailures(t *testing.T) {
	t.Run("stock", func(t *testing.T) {
		tracer, factory, _ := mixedTracer(t)
		countsFailures(t, tracer, factory)
	})
	t.Run("moved", func(t *testing.T) {
		tracer, factory, _ := movedTracer(t)
		countsFailures(t, tracer, factory)
	})
}

func countsFailures(t *testing.T, tracer opentracing.Tracer, factory *metricstest.Factory) {
	router := chi.NewRouter()
	router.Use(httpmw.Middleware(tracer))
	router.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if chi.URLParam(r, "id") == "bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	for _, id := range []string{"1", "2", "bad"} {
		router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/users/"+id, nil))
	}
	unary := grpcmw.UnaryServerInterceptor(tracer)
	info := &grpc.UnaryServerInfo{FullMethod: "/shop.Shop/Buy"}
	for _, err := range []error{nil, status.Error(codes.Internal, "no")} {
		_, _ = unary(context.Background(), nil, info, func(context.Context, any) (any, error) { return nil, err })
	}
	counters, _ := factory.Snapshot()
	for name, want := range map[string]int64{
		"requests|endpoint=GET-/users/-id-|error=false":          2,
		"requests|endpoint=GET-/users/-id-|error=true":           1,
		"http_requests|endpoint=GET-/users/-id-|status_code=2xx": 2,
		"http_requests|endpoint=GET-/users/-id-|status_code=5xx": 1,
		"requests|endpoint=/shop.Shop/Buy|error=false":           1,
		"requests|endpoint=/shop.Shop/Buy|error=true":            1,
	} {
		if counters[name] != want {
			t.Errorf("%s is %d, want %d; all: %v", name, counters[name], want, counters)
		}
	}
}

func TestAStockTracerReadsAndWritesTheKitsFormats(t *testing.T) {
	tracer, _, p := mixedTracer(t)
	var outgoing http.Header
	callee := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { outgoing = r.Header }))
	defer callee.Close()
	client := httpmw.Client(tracer, nil)
	handler := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), "GET", callee.URL, nil)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	}))
	req := httptest.NewRequest("GET", "/", nil)
	req.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	req.Header.Set("baggage", "tenant=acme")
	handler.ServeHTTP(httptest.NewRecorder(), req)
	want := "00-4bf92f3577b34da6a3ce929d0e0e4736-"
	if got := outgoing.Get("traceparent"); len(got) != 55 || got[:len(want)] != want || got[53:] != "01" {
		t.Errorf("traceparent %q", got)
	}
	if outgoing.Get("baggage") != "tenant=acme" || outgoing.Get("uber-trace-id") == "" {
		t.Errorf("%v", outgoing)
	}
	if got := p.Stats(); got.Extracted[carrier.W3C] == 0 {
		t.Errorf("%+v", got)
	}
}

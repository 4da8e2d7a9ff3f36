package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
)

// measured is one way to measure a program.
type measured struct {
	registry *prometheus.Registry
	handler  func(http.Handler) http.Handler
	client   func(http.RoundTripper) http.RoundTripper
	server   []grpc.ServerOption
	dial     []grpc.DialOption
}

func withOpenTelemetry(t *testing.T) measured {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	t.Cleanup(func() { provider.Shutdown(context.Background()) })
	return measured{
		registry: registry,
		handler: func(h http.Handler) http.Handler {
			return otelhttp.NewHandler(h, "", otelhttp.WithMeterProvider(provider))
		},
		client: func(base http.RoundTripper) http.RoundTripper {
			return otelhttp.NewTransport(base, otelhttp.WithMeterProvider(provider))
		},
		server: []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithMeterProvider(provider)))},
		dial:   []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(otelgrpc.WithMeterProvider(provider)))},
	}
}

func withPrommw(t *testing.T) measured {
	registry := prometheus.NewRegistry()
	m := prommw.New(prommw.Config{})
	registry.MustRegister(m)
	tracer := opentracing.NoopTracer{}
	every := grpcmw.WithFilter(selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return true }))
	return measured{
		registry: registry,
		handler:  httpmw.Middleware(tracer, m.HTTPServer()),
		client: func(base http.RoundTripper) http.RoundTripper {
			return httpmw.Transport(tracer, base, m.HTTPClient())
		},
		server: grpcmw.ServerOptions(tracer, m.GRPCServer(), every),
		dial:   grpcmw.DialOptions(tracer, m.GRPCClient(), every),
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// work makes the same requests and RPCs in whatever way they are measured.
func work(t *testing.T, m measured) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/orders", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	handler := m.handler(mux)
	client := m.client(roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/broken" {
			return nil, errors.New("no route to host")
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Result(), nil
	}))
	for _, request := range []string{"GET /users/1", "GET /users/2", "POST /orders", "GET /nothing", "BREW /orders", "GET /broken"} {
		var method, path string
		fmt.Sscan(request, &method, &path)
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		if resp, err := client.RoundTrip(httptest.NewRequest(method, "http://127.0.0.1:1"+path, nil)); err == nil {
			resp.Body.Close()
		}
	}
	callRPCs(t, m)
}

// failing fails every check with the code that is the name of the service.
type failing struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (failing) Check(
	_ context.Context, r *grpc_health_v1.HealthCheckRequest,
) (*grpc_health_v1.HealthCheckResponse, error) {
	for code := range codes.Unauthenticated + 1 {
		if code.String() == r.Service {
			return &grpc_health_v1.HealthCheckResponse{}, status.Error(code, "")
		}
	}
	return nil, errors.New("no such code")
}

func (failing) Watch(_ *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	return stream.Send(&grpc_health_v1.HealthCheckResponse{})
}

func callRPCs(t *testing.T, m measured) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(m.server...)
	grpc_health_v1.RegisterHealthServer(srv, failing{})
	go srv.Serve(lis)
	defer srv.GracefulStop()
	conn, err := grpc.NewClient(lis.Addr().String(), append(m.dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	for code := range codes.Unauthenticated + 1 {
		client.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: code.String()})
	}
	stream, err := client.Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	for err == nil {
		_, err = stream.Recv()
	}
}

func gather(t *testing.T, registry *prometheus.Registry) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range all {
		byName[f.GetName()] = f
	}
	return byName
}

// counts returns how many observations a histogram has for each combination of values of the labels.
func counts(f *dto.MetricFamily, names []string, rewrite func(map[string]string)) map[string]uint64 {
	got := map[string]uint64{}
	for _, m := range f.GetMetric() {
		values := map[string]string{}
		for _, l := range m.Label {
			values[l.GetName()] = l.GetValue()
		}
		if rewrite != nil {
			rewrite(values)
		}
		key := ""
		for _, name := range names {
			key += name + "=" + values[name] + " "
		}
		got[key] += m.Histogram.GetSampleCount()
	}
	return got
}

// TestNamesAreThoseOfOpenTelemetry as its Prometheus exporter spells them: names, types, units, buckets, and the values
// of the labels. Where the values differ, a rewrite says how.
func TestNamesAreThoseOfOpenTelemetry(t *testing.T) {
	theirs, ours := withOpenTelemetry(t), withPrommw(t)
	work(t, theirs)
	work(t, ours)
	want, got := gather(t, theirs.registry), gather(t, ours.registry)
	for family, tt := range map[string]struct {
		labels  []string
		rewrite func(labels map[string]string) // of OpenTelemetry's, to what prommw has
	}{
		"http_server_request_duration_seconds": {append(slices.Clip(httpLabels), "http_route"), statusIsError(500)},
		"http_client_request_duration_seconds": {httpLabels, statusIsError(400)},
		"rpc_server_call_duration_seconds":     {rpcLabels, nil},
		"rpc_client_call_duration_seconds":     {rpcLabels, cancellingIsNoError},
	} {
		t.Run(family, func(t *testing.T) {
			w, g := want[family], got[family]
			if w == nil || g == nil {
				t.Fatalf("OpenTelemetry has %v, prommw %v", w, g)
			}
			if w.GetType() != g.GetType() {
				t.Errorf("type %v, want %v", g.GetType(), w.GetType())
			}
			if diff := cmp.Diff(counts(w, tt.labels, tt.rewrite), counts(g, tt.labels, nil)); diff != "" {
				t.Errorf("observations, -OpenTelemetry +prommw:\n%s", diff)
			}
			if diff := cmp.Diff(bounds(w), bounds(g)); diff != "" {
				t.Errorf("buckets, -OpenTelemetry +prommw:\n%s", diff)
			}
			for _, l := range g.Metric[0].Label {
				optIn := l.GetName() == "url_template"
				if name := l.GetName(); !hasLabel(w, name) && !hasLabel(want["http_client_request_duration_seconds"], name) && !optIn {
					t.Errorf("label %s is none of OpenTelemetry's", name)
				}
			}
		})
	}
}

var (
	httpLabels = []string{"http_request_method", "http_response_status_code", "error_type"}
	rpcLabels  = []string{"rpc_method", "rpc_response_status_code", "error_type"}
)

// statusIsError sets the type of error of failed requests: the specification says that it is the status, otelhttp
// leaves it out. Types of Go's errors are spelled with their asterisk.
func statusIsError(from int) func(map[string]string) {
	return func(labels map[string]string) {
		code, err := strconv.Atoi(labels["http_response_status_code"])
		switch {
		case labels["error_type"] == "errors.errorString":
			labels["error_type"] = "*errors.errorString"
		case err == nil && code >= from:
			labels["error_type"] = labels["http_response_status_code"]
		}
	}
}

// cancellingIsNoError removes the type of error of what a caller canceled itself: to it, that is no failure.
func cancellingIsNoError(labels map[string]string) {
	if labels["error_type"] == "CANCELLED" {
		delete(labels, "error_type")
	}
}

func hasLabel(f *dto.MetricFamily, name string) bool {
	return slices.ContainsFunc(f.Metric, func(m *dto.Metric) bool {
		return slices.ContainsFunc(m.Label, func(l *dto.LabelPair) bool { return l.GetName() == name })
	})
}

// TestGaugesAreNamedAsOpenTelemetryDoes where its conventions have one. otelhttp has none, so they are made here.
func TestGaugesAreNamedAsOpenTelemetryDoes(t *testing.T) {
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	defer provider.Shutdown(context.Background())
	served, err := httpconv.NewServerActiveRequests(provider.Meter(""))
	if err != nil {
		t.Fatal(err)
	}
	served.Add(t.Context(), 1, httpconv.RequestMethodGet, "http")
	sent, err := httpconv.NewClientActiveRequests(provider.Meter(""))
	if err != nil {
		t.Fatal(err)
	}
	sent.Add(t.Context(), 1, "127.0.0.1", 1, attribute.String("http.request.method", "GET"))
	ours := withPrommw(t)
	work(t, ours)
	want, got := gather(t, registry), gather(t, ours.registry)
	for _, family := range []string{"http_server_active_requests", "http_client_active_requests"} {
		t.Run(family, func(t *testing.T) {
			w, g := want[family], got[family]
			if w == nil || g == nil || w.GetType() != g.GetType() {
				t.Fatalf("OpenTelemetry has %v, prommw %v", w, g)
			}
			for _, l := range g.Metric[0].Label {
				if !hasLabel(w, l.GetName()) {
					t.Errorf("label %s is none of OpenTelemetry's", l.GetName())
				}
			}
		})
	}
}

func bounds(f *dto.MetricFamily) (all []float64) {
	for _, b := range f.Metric[0].Histogram.Bucket {
		all = append(all, b.GetUpperBound())
	}
	return all
}

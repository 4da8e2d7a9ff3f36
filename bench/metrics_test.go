package bench

import (
	"context"
	"net/http"
	"testing"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
)

// httpMeter is a way to add metrics to a router that is traced by the kit already.
type httpMeter struct {
	name  string
	start func(testing.TB, opentracing.Tracer, *prometheus.Registry) http.Handler
}

var httpMeters = []httpMeter{
	{"bare", func(_ testing.TB, t opentracing.Tracer, _ *prometheus.Registry) http.Handler {
		return users(httpmw.Middleware(t))
	}},
	{"spanloom", func(_ testing.TB, t opentracing.Tracer, r *prometheus.Registry) http.Handler {
		m := prommw.New(prommw.Config{})
		r.MustRegister(m)
		return users(httpmw.Middleware(t, m.HTTPServer()))
	}},
	{"spanloom-classic", func(_ testing.TB, t opentracing.Tracer, r *prometheus.Registry) http.Handler {
		m := prommw.New(prommw.Config{NativeFactor: -1})
		r.MustRegister(m)
		return users(httpmw.Middleware(t, m.HTTPServer()))
	}},
	{"promhttp", func(_ testing.TB, t opentracing.Tracer, r *prometheus.Registry) http.Handler {
		return users(httpmw.Middleware(t), instrument(r))
	}},
	{"promhttp-exemplars", func(_ testing.TB, t opentracing.Tracer, r *prometheus.Registry) http.Handler {
		return users(httpmw.Middleware(t), instrument(r, promhttp.WithExemplarFromContext(exemplar)))
	}},
	{"otelhttp", func(tb testing.TB, t opentracing.Tracer, r *prometheus.Registry) http.Handler {
		return users(httpmw.Middleware(t), otelhttp.NewMiddleware("bench",
			otelhttp.WithTracerProvider(noop.NewTracerProvider()), otelhttp.WithMeterProvider(meterProvider(tb, r))))
	}},
}

// instrument is what the documentation of promhttp shows: requests in flight, and durations by method and status.
func instrument(r *prometheus.Registry, opts ...promhttp.Option) func(http.Handler) http.Handler {
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{Name: "in_flight_requests"})
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "request_duration_seconds"}, []string{"method", "code"})
	r.MustRegister(inFlight, durations)
	return func(next http.Handler) http.Handler {
		return promhttp.InstrumentHandlerInFlight(inFlight, promhttp.InstrumentHandlerDuration(durations, next, opts...))
	}
}

// exemplar is the trace of the active span.
func exemplar(ctx context.Context) prometheus.Labels {
	if span := opentracing.SpanFromContext(ctx); span != nil {
		return prometheus.Labels{"trace_id": carrier.TraceID(span.Context())}
	}
	return nil
}

func meterProvider(tb testing.TB, r *prometheus.Registry) *metric.MeterProvider {
	tb.Helper()
	exporter, err := otelprom.New(otelprom.WithRegisterer(r))
	if err != nil {
		tb.Fatal(err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(exporter))
	tb.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return provider
}

// rpcMeter is a way to add metrics to a server that is traced by the kit already.
type rpcMeter struct {
	name  string
	start func(opentracing.Tracer, *prometheus.Registry) grpc.UnaryServerInterceptor
}

var rpcMeters = []rpcMeter{
	{"bare", func(t opentracing.Tracer, _ *prometheus.Registry) grpc.UnaryServerInterceptor {
		return grpcmw.UnaryServerInterceptor(t)
	}},
	{"spanloom", func(t opentracing.Tracer, r *prometheus.Registry) grpc.UnaryServerInterceptor {
		m := prommw.New(prommw.Config{})
		r.MustRegister(m)
		return grpcmw.UnaryServerInterceptor(t, m.GRPCServer())
	}},
	{"go-grpc-middleware", func(t opentracing.Tracer, r *prometheus.Registry) grpc.UnaryServerInterceptor {
		return below(grpcmw.UnaryServerInterceptor(t), providerOf(r))
	}},
	{"go-grpc-middleware-exemplars", func(t opentracing.Tracer, r *prometheus.Registry) grpc.UnaryServerInterceptor {
		return below(grpcmw.UnaryServerInterceptor(t), providerOf(r, grpcprom.WithExemplarFromContext(exemplar)))
	}},
}

func providerOf(r *prometheus.Registry, opts ...grpcprom.Option) grpc.UnaryServerInterceptor {
	m := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	r.MustRegister(m)
	return m.UnaryServerInterceptor(opts...)
}

// below chains two interceptors.
func below(outer, inner grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		return outer(ctx, req, info, func(ctx context.Context, req any) (any, error) { return inner(ctx, req, info, h) })
	}
}

func rpcWork(meter rpcMeter, t opentracing.Tracer, r *prometheus.Registry) func() {
	unary := meter.start(t, r)
	info := &grpc.UnaryServerInfo{FullMethod: method}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	ctx := context.Background()
	return func() { _, _ = unary(ctx, nil, info, handler) }
}

func httpWork(tb testing.TB, meter httpMeter, t opentracing.Tracer, r *prometheus.Registry) func() {
	h := meter.start(tb, t, r)
	req, w := request(nil), &discard{header: http.Header{}}
	return func() {
		clear(w.header)
		h.ServeHTTP(w, req)
	}
}

var metered = map[string]bool{"sampled": true, "unsampled": false}

// BenchmarkMetrics is what metrics cost on top of tracing: the bare work is a traced one.
func BenchmarkMetrics(b *testing.B) {
	for _, mode := range []string{"sampled", "unsampled"} {
		for _, meter := range httpMeters {
			b.Run("http-"+mode+"/"+meter.name, func(b *testing.B) {
				t, _ := spanloomTracer(b, metered[mode])
				measure(b, httpWork(b, meter, t, prometheus.NewRegistry()))
			})
		}
		for _, meter := range rpcMeters {
			b.Run("grpc-"+mode+"/"+meter.name, func(b *testing.B) {
				t, _ := spanloomTracer(b, metered[mode])
				measure(b, rpcWork(meter, t, prometheus.NewRegistry()))
			})
		}
	}
}

// TestAllMetersCountTheSame checks that all count and time what BenchmarkMetrics measures.
func TestAllMetersCountTheSame(t *testing.T) {
	check := func(name string, work func(opentracing.Tracer, *prometheus.Registry) func()) {
		t.Run(name, func(t *testing.T) {
			tracer, _ := spanloomTracer(t, true)
			registry := prometheus.NewRegistry()
			do := work(tracer, registry)
			for range 3 {
				do()
			}
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			var n uint64
			for _, f := range families {
				for _, m := range f.Metric {
					n = max(n, m.Histogram.GetSampleCount())
				}
			}
			if want := uint64(3); n != want {
				t.Errorf("%d observations, want %d", n, want)
			}
		})
	}
	for _, meter := range httpMeters[1:] {
		check(meter.name, func(tracer opentracing.Tracer, r *prometheus.Registry) func() { return httpWork(t, meter, tracer, r) })
	}
	for _, meter := range rpcMeters[1:] {
		check(meter.name, func(tracer opentracing.Tracer, r *prometheus.Registry) func() { return rpcWork(meter, tracer, r) })
	}
}

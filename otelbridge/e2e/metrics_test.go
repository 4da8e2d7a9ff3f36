package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// serveOnce runs do in a request behind a middleware.
func serveOnce(middleware func(http.Handler) http.Handler, do func(ctx context.Context)) {
	h := middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { do(r.Context()) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
}

// exemplarsOf returns the exemplars of all histograms and sums.
func exemplarsOf(t *testing.T, reader sdkmetric.Reader) (ids []trace.SpanContextConfig) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	add := func(traceID, spanID []byte) {
		ids = append(ids, trace.SpanContextConfig{TraceID: trace.TraceID(traceID), SpanID: trace.SpanID(spanID)})
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					for _, e := range p.Exemplars {
						add(e.TraceID, e.SpanID)
					}
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					for _, e := range p.Exemplars {
						add(e.TraceID, e.SpanID)
					}
				}
			}
		}
	}
	return ids
}

// TestExemplarsNameSampledSpans counts in spans of each API, and in those that are not sampled, which have no exemplars.
func TestExemplarsNameSampledSpans(t *testing.T) {
	for _, sampled := range []bool{true, false} {
		for name, in := range map[string]func(tr tracing, do func(ctx context.Context)){
			"OpenTracing": func(tr tracing, do func(ctx context.Context)) {
				ctx, end := tr.Span(context.Background(), "s")
				defer end()
				do(ctx)
			},
			"OpenTelemetry": func(tr tracing, do func(ctx context.Context)) {
				ctx, span := tr.Tracer("lib").Start(context.Background(), "s")
				defer span.End()
				do(ctx)
			},
			"httpmw": func(tr tracing, do func(ctx context.Context)) {
				serveOnce(httpmw.Middleware(tr.OpenTracing), do)
			},
		} {
			t.Run(name+map[bool]string{true: ", sampled", false: ", unsampled"}[sampled], func(t *testing.T) {
				tr := sampledTracing(t, sampled)
				reader := sdkmetric.NewManualReader()
				counter, err := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("lib").Int64Counter("n")
				if err != nil {
					t.Fatal(err)
				}
				var want trace.SpanContext
				in(tr, func(ctx context.Context) {
					want = trace.SpanContextFromContext(ctx)
					counter.Add(ctx, 1)
				})
				got := exemplarsOf(t, reader)
				if !want.IsValid() || want.IsSampled() != sampled {
					t.Errorf("the span is %v", want)
				}
				switch {
				case !sampled && len(got) != 0:
					t.Errorf("exemplars %v of a span that is not sampled", got)
				case sampled && (len(got) != 1 || got[0].TraceID != want.TraceID() || got[0].SpanID != want.SpanID()):
					t.Errorf("exemplars %v, want that of %v", got, want)
				}
			})
		}
	}
}

func sampledTracing(t *testing.T, sampled bool) tracing {
	t.Helper()
	sampler := tracerinit.Never()
	if sampled {
		sampler = tracerinit.Always()
	}
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Sampler: sampler, LookupEnv: func(string) (string, bool) { return "", false },
		Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP(newCollector(t).URL)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tracer.Close() })
	return bridged(otelbridge.New(tracer))
}

// TestExemplarsOfLibraries has the ids of the library's own span in the exemplar of its metric.
func TestExemplarsOfLibraries(t *testing.T) {
	c := newCollector(t)
	tr, flush := c.tracingOfBridge(t)
	reader := sdkmetric.NewManualReader()
	opts := append(otelhttpOptions(tr), otelhttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))
	serveOnce(otelhttp.NewMiddleware("shop", opts...), func(context.Context) {})
	flush()
	got := exemplarsOf(t, reader)
	if len(got) == 0 || len(c.all()) != 1 {
		t.Fatalf("%d exemplars, %d spans", len(got), len(c.all()))
	}
	for _, e := range got {
		if s := c.all()[0]; !slices.Equal(e.TraceID[:], s.TraceId) || !slices.Equal(e.SpanID[:], s.SpanId) {
			t.Errorf("exemplar of %v, want %x", e, s.SpanId)
		}
	}
}

package otelbridge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

func quietTracer(t testing.TB, sampler tracerinit.Sampler) *tracerinit.Tracer {
	t.Helper()
	return newTracer(t, tracerinit.Config{Sampler: sampler, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
}

// TestChildrenKeepTheirCeilingsOfAllocs has the ceilings for a span that OpenTelemetry code starts below another.
func TestChildrenKeepTheirCeilingsOfAllocs(t *testing.T) {
	client := trace.WithSpanKind(trace.SpanKindClient)
	five := []attribute.KeyValue{
		attribute.String("a", "b"), attribute.Int("n", 12345), attribute.Bool("c", true), attribute.Float64("f", 0.5),
		attribute.String("d", "e"),
	}
	for name, tt := range map[string]struct {
		sampler tracerinit.Sampler
		opts    []trace.SpanStartOption
		most    float64
	}{
		"sampled":                    {tracerinit.Always(), []trace.SpanStartOption{client}, 4},
		"unsampled":                  {tracerinit.Never(), []trace.SpanStartOption{client}, 4},
		"sampled with attributes":    {tracerinit.Always(), []trace.SpanStartOption{client, trace.WithAttributes(five...)}, 11},
		"unsampled, attributes lost": {tracerinit.Never(), []trace.SpanStartOption{client, trace.WithAttributes(five...)}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := otelbridge.New(quietTracer(t, tt.sampler)).TracerProvider().Tracer("lib")
			ctx, root := tracer.Start(t.Context(), "root")
			defer root.End()
			n := testing.AllocsPerRun(200, func() {
				_, s := tracer.Start(ctx, "child", tt.opts...)
				s.End()
			})
			if n > tt.most {
				t.Errorf("%v allocations, want at most %v", n, tt.most)
			}
		})
	}
}

func TestInjectKeepsItsCeilingOfAllocs(t *testing.T) {
	b := otelbridge.New(quietTracer(t, tracerinit.Always()))
	ctx, s := b.TracerProvider().Tracer("lib").Start(t.Context(), "s")
	defer s.End()
	header := propagation.HeaderCarrier{}
	if n := testing.AllocsPerRun(200, func() { b.Propagator().Inject(ctx, header) }); n > 3 {
		t.Errorf("%v allocations, want at most 3", n)
	}
}

// TestABridgeAddsNoAllocsToARequest has what a bridge costs a request that does not use it.
func TestABridgeAddsNoAllocsToARequest(t *testing.T) {
	for name, sampler := range map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()} {
		t.Run(name, func(t *testing.T) {
			tracer := quietTracer(t, sampler)
			requests := func(tracer opentracing.Tracer) float64 {
				h := httpmw.Middleware(tracer)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
				return testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
			}
			alone, bridged := requests(tracer), requests(otelbridge.New(tracer).OpenTracing())
			if bridged > alone+1 {
				t.Errorf("%v allocations, and %v without the bridge", bridged, alone)
			}
		})
	}
}

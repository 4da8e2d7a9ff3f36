package carrier_test

import (
	"net/http"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

func TestExtractKeepsItsCeilingOfAllocs(t *testing.T) {
	tracer, _ := newTracer(t, carrier.Config{})
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			h := typicalHeaders(r.pairs...)
			multi := asMulti(h)
			text := opentracing.TextMapCarrier{}
			for k, v := range multi {
				text[k] = v[0]
			}
			for _, c := range []any{opentracing.HTTPHeadersCarrier(h), multi, text} {
				got := testing.AllocsPerRun(100, func() { _, _ = tracer.Extract(opentracing.HTTPHeaders, c) })
				if got > r.allocs {
					t.Errorf("%s from %T: %v allocations, want %v", r.name, c, got, r.allocs)
				}
			}
		})
	}
}

func TestInjectKeepsItsCeilingOfAllocs(t *testing.T) {
	for _, c := range []struct {
		name   string
		config carrier.Config
		pairs  []string
		allocs float64
	}{
		{"W3C and Jaeger", carrier.Config{}, []string{"uber-trace-id", someUberTraceID}, 2},
		{"with tracestate", carrier.Config{}, []string{"traceparent", someTraceparent, "tracestate", "a=b"}, 2},
		{"all formats", carrier.Config{Inject: allFormats}, []string{"uber-trace-id", someUberTraceID}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, p := newTracer(t, c.config)
			sc := opentracing.SpanContext(extract(t, p, headers(c.pairs...)))
			h := typicalHeaders()
			for _, target := range []any{opentracing.HTTPHeadersCarrier(h), asMulti(h)} {
				_ = tracer.Inject(sc, opentracing.HTTPHeaders, target) // the map grows once
				got := testing.AllocsPerRun(100, func() { _ = tracer.Inject(sc, opentracing.HTTPHeaders, target) })
				if got > c.allocs {
					t.Errorf("%s into %T: %v allocations, want %v", c.name, target, got, c.allocs)
				}
			}
		})
	}
}

// A Propagator that has met no tracestate does not touch a trace to look for one.
func TestTraceStateCostsNothing(t *testing.T) {
	p := newPropagator(t, carrier.Config{})
	fresh := make([]jaeger.SpanContext, 102)
	for i := range fresh {
		fresh[i] = jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, nil)
	}
	next := 0
	if got := testing.AllocsPerRun(100, func() { _ = p.TraceState(fresh[next]); next++ }); got != 0 {
		t.Errorf("%v allocations", got)
	}
	h := http.Header{}
	next = 0
	_ = p.Inject(fresh[0], h)
	if got := testing.AllocsPerRun(100, func() { _ = p.Inject(fresh[next], h); next++ }); got > 2 {
		t.Errorf("%v allocations in Inject", got)
	}
}

func TestIDAllocs(t *testing.T) {
	sc := opentracing.SpanContext(jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 3, true, nil))
	if got := testing.AllocsPerRun(100, func() { _, _ = carrier.TraceID(sc), carrier.SpanID(sc) }); got > 2 {
		t.Errorf("%v allocations", got)
	}
}

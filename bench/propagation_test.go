package bench

import (
	"context"
	"net/http"
	"testing"

	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var formats = []struct {
	name    string
	headers map[string]string
}{
	{"none", nil},
	{"w3c", map[string]string{"traceparent": "00-" + traceID + "-" + parentID + "-01"}},
	{"w3c-tracestate", map[string]string{"traceparent": "00-" + traceID + "-" + parentID + "-01", "tracestate": "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}},
	{"w3c-baggage", map[string]string{"traceparent": "00-" + traceID + "-" + parentID + "-01", "baggage": "user=alice,tier=gold,region=eu"}},
	{"jaeger", map[string]string{"uber-trace-id": traceID + ":" + parentID + ":0:1"}},
	{"b3", map[string]string{"b3": traceID + "-" + parentID + "-1"}},
	{"b3multi", map[string]string{"x-b3-traceid": traceID, "x-b3-spanid": parentID, "x-b3-sampled": "1"}},
}

// BenchmarkExtract has only those that read the format, beside the request without any.
func BenchmarkExtract(b *testing.B) {
	for _, f := range formats {
		h := request(f.headers).Header
		b.Run(f.name+"/spanloom", func(b *testing.B) {
			t, _ := spanloomTracer(b, true)
			measure(b, func() { _, _ = t.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)) })
		})
		if f.headers == nil || f.headers["uber-trace-id"] != "" {
			b.Run(f.name+"/jaeger-client-go", func(b *testing.B) {
				t, _ := stockTracer(b, true)
				measure(b, func() { _, _ = t.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)) })
			})
		}
		if f.headers == nil || f.headers["traceparent"] != "" {
			b.Run(f.name+"/opentelemetry", func(b *testing.B) {
				p, ctx := otelPropagator(), context.Background()
				measure(b, func() { p.Extract(ctx, propagation.HeaderCarrier(h)) })
			})
		}
	}
}

func BenchmarkInject(b *testing.B) {
	h := http.Header{}
	b.Run("root/spanloom", func(b *testing.B) { // traceparent and uber-trace-id
		t, _ := spanloomTracer(b, true)
		benchInject(b, t, h)
	})
	b.Run("root/jaeger-client-go", func(b *testing.B) { // uber-trace-id
		t, _ := stockTracer(b, true)
		benchInject(b, t, h)
	})
	b.Run("root/opentelemetry", func(b *testing.B) { // traceparent
		tp, _ := otelProvider(b, true)
		ctx, span := tp.Tracer("bench").Start(context.Background(), "root")
		defer span.End()
		p := otelPropagator()
		measure(b, func() { p.Inject(ctx, propagation.HeaderCarrier(h)) })
	})
}

func benchInject(b *testing.B, t opentracing.Tracer, h http.Header) {
	span := t.StartSpan("root")
	defer span.Finish()
	sc := span.Context()
	measure(b, func() { _ = t.Inject(sc, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)) })
}

func TestPropagatorsReadTheirFormats(t *testing.T) {
	ours, _ := spanloomTracer(t, true)
	stock, _ := stockTracer(t, true)
	for _, f := range formats[1:] {
		h := request(f.headers).Header
		if _, err := ours.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h)); err != nil {
			t.Errorf("spanloom does not read %s: %v", f.name, err)
		}
		_, err := stock.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
		if reads := err == nil; reads != (f.name == "jaeger") {
			t.Errorf("jaeger-client-go and %s: %v", f.name, err)
		}
		ctx := otelPropagator().Extract(context.Background(), propagation.HeaderCarrier(h))
		reads := trace.SpanContextFromContext(ctx).IsValid()
		if want := f.headers["traceparent"] != ""; reads != want {
			t.Errorf("OpenTelemetry and %s: reads %v, want %v", f.name, reads, want)
		}
	}
}

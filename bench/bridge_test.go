package bench

import (
	"context"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
)

// otelEngines are what the spans of OpenTelemetry code are made by.
var otelEngines = []struct {
	name  string
	start func(testing.TB, bool) (trace.TracerProvider, propagation.TextMapPropagator)
}{
	{"spanloom", func(tb testing.TB, sampled bool) (trace.TracerProvider, propagation.TextMapPropagator) {
		t, _ := spanloomTracer(tb, sampled)
		b := otelbridge.New(t)
		return b.TracerProvider(), b.Propagator()
	}},
	{"otel-sdk", func(tb testing.TB, sampled bool) (trace.TracerProvider, propagation.TextMapPropagator) {
		tp, _ := otelProvider(tb, sampled)
		return tp, otelPropagator()
	}},
}

// otelWorks are what OpenTelemetry code does below a span.
var otelWorks = []struct {
	name    string
	sampled bool
	do      func(context.Context, trace.Tracer, propagation.TextMapPropagator) func()
}{
	{"sampled", true, child},
	{"unsampled", false, child},
	{"sampled-attributes", true, childWithAttributes},
	{"unsampled-attributes", false, childWithAttributes},
	{"inject", true, func(ctx context.Context, _ trace.Tracer, p propagation.TextMapPropagator) func() {
		h := http.Header{}
		return func() { p.Inject(ctx, propagation.HeaderCarrier(h)) }
	}},
}

func child(ctx context.Context, t trace.Tracer, _ propagation.TextMapPropagator) func() {
	return func() {
		_, s := t.Start(ctx, "child", trace.WithSpanKind(trace.SpanKindClient))
		s.End()
	}
}

// childWithAttributes does what a database library does: attributes before and after, and ids for a log.
func childWithAttributes(ctx context.Context, t trace.Tracer, _ propagation.TextMapPropagator) func() {
	return func() {
		ctx, s := t.Start(ctx, "child", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", "postgresql"), attribute.String("db.query.text", "select 1"),
			attribute.Int("db.rows", 12345)))
		if trace.SpanContextFromContext(ctx).IsSampled() {
			s.SetAttributes(attribute.Bool("db.cached", true), attribute.Float64("db.cost", 0.5))
		}
		s.End()
	}
}

// BenchmarkOTelSpan is what OpenTelemetry code does below a span, through the bridge and with the SDK.
func BenchmarkOTelSpan(b *testing.B) {
	for _, w := range otelWorks {
		for _, e := range otelEngines {
			b.Run(w.name+"/"+e.name, func(b *testing.B) {
				tp, p := e.start(b, w.sampled)
				t := tp.Tracer("lib")
				ctx, root := t.Start(context.Background(), "root")
				defer root.End()
				measure(b, w.do(ctx, t, p))
			})
		}
	}
}

// TestOTelSpansAreRecorded checks that both engines do what BenchmarkOTelSpan measures.
func TestOTelSpansAreRecorded(t *testing.T) {
	for _, w := range otelWorks {
		for _, e := range otelEngines {
			t.Run(w.name+"/"+e.name, func(t *testing.T) {
				tp, p := e.start(t, w.sampled)
				ctx, root := tp.Tracer("lib").Start(context.Background(), "root")
				defer root.End()
				if root.IsRecording() != w.sampled {
					t.Errorf("records: %t", root.IsRecording())
				}
				w.do(ctx, tp.Tracer("lib"), p)()
				h := http.Header{}
				if p.Inject(ctx, propagation.HeaderCarrier(h)); h.Get("traceparent") == "" {
					t.Error("no traceparent")
				}
			})
		}
	}
}

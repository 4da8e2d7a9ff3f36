package e2e

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
)

// tracing is what a program traces with: OpenTelemetry's SDK, or the bridge.
type tracing struct {
	trace.TracerProvider
	propagation.TextMapPropagator

	// Span starts a span of the application: by the OpenTracing API if there is a bridge.
	Span func(ctx context.Context, name string) (context.Context, func())

	OpenTracing opentracing.Tracer // nil with the SDK
}

// isApplication reports whether a scope is that of the application's own spans. OpenTracing has none, so that they get
// that of the kit.
func isApplication(scope string) bool {
	return scope == application || scope == "github.com/spanloom/spanloom"
}

const application = "application"

func (c *collector) tracingOfBridge(t *testing.T) (tr tracing, flush func()) {
	t.Helper()
	b, flush := c.bridge(t)
	return bridged(b), flush
}

func bridged(b *otelbridge.Bridge) tracing {
	return tracing{
		TracerProvider: b.TracerProvider(), TextMapPropagator: b.Propagator(), OpenTracing: b.OpenTracing(),
		Span: func(ctx context.Context, name string) (context.Context, func()) {
			span, ctx := opentracing.StartSpanFromContextWithTracer(ctx, b.OpenTracing(), name)
			return ctx, span.Finish
		},
	}
}

func (c *collector) tracingOfSDK(t *testing.T) (tr tracing, flush func()) {
	t.Helper()
	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(c.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
	return tracing{
			TracerProvider:    p,
			TextMapPropagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
			Span: func(ctx context.Context, name string) (context.Context, func()) {
				ctx, span := p.Tracer(application).Start(ctx, name)
				return ctx, func() { span.End() }
			},
		}, func() {
			if err := p.Shutdown(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
}

// compareWithSDK runs program with OpenTelemetry's SDK and with the bridge, and compares what a collector gets: the
// tree of spans with their names, kinds, statuses, attributes, events, links and scopes. It returns the spans that
// came through the bridge.
func compareWithSDK(t *testing.T, program func(t *testing.T, tr tracing)) *collector {
	t.Helper()
	ofSDK, ofBridge := newCollector(t), newCollector(t)
	for _, start := range []func(*testing.T) (tracing, func()){ofSDK.tracingOfSDK, ofBridge.tracingOfBridge} {
		tr, flush := start(t)
		program(t, tr)
		flush()
	}
	want, got := ofSDK.tree(detailed), ofBridge.tree(detailed)
	if want == "" {
		t.Error("the program has no spans")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-sdk +bridge:\n%s", diff)
	}
	return ofBridge
}

package bench

import (
	"context"
	"testing"

	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// noProcessor is a processor of OpenTelemetry's SDK that does nothing.
type noProcessor struct{}

func (noProcessor) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (noProcessor) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (noProcessor) Shutdown(context.Context) error                  { return nil }
func (noProcessor) ForceFlush(context.Context) error                { return nil }

// BenchmarkOTelSpan is a child span that OpenTelemetry code starts and ends, through the bridge and with the SDK.
func BenchmarkOTelSpan(b *testing.B) {
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		b.Fatal(err)
	}
	defer tracer.Close()
	for _, p := range []struct {
		name     string
		provider trace.TracerProvider
	}{
		{"spanloom", otelbridge.New(tracer).TracerProvider()},
		{"otel-sdk", sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(noProcessor{}))},
	} {
		t := p.provider.Tracer("lib")
		ctx, root := t.Start(context.Background(), "root")
		b.Run("child/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, s := t.Start(ctx, "child", trace.WithSpanKind(trace.SpanKindClient))
				s.End()
			}
		})
		b.Run("attributes/"+p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, s := t.Start(ctx, "child", trace.WithAttributes(attribute.String("a", "b"), attribute.Int("n", 12345)))
				s.SetAttributes(attribute.Bool("c", true))
				s.End()
			}
		})
		root.End()
	}
}

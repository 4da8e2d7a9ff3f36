package e2e

import (
	"context"
	"errors"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestSpansOfRPCsAreNotTouchedAfterTheirEnd keeps what both APIs find in an RPC, and uses it later.
func TestSpansOfRPCsAreNotTouchedAfterTheirEnd(t *testing.T) {
	for name, cfg := range map[string]tracerinit.Config{"fast": {}, "with metrics": {Metrics: jaeger.NewNullMetrics()}} {
		t.Run(name, func(t *testing.T) {
			memory := jaeger.NewInMemoryReporter()
			cfg.Local, cfg.Reporters = true, []jaeger.Reporter{memory}
			tracer, err := tracerinit.Start(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer tracer.Close()
			var kept trace.Span
			var ot opentracing.Span
			interceptor := grpcmw.UnaryServerInterceptor(otelbridge.New(tracer).OpenTracing())
			info := &grpc.UnaryServerInfo{FullMethod: "/shop.Orders/Place"}
			_, _ = interceptor(t.Context(), nil, info, func(ctx context.Context, _ any) (any, error) {
				kept, ot = trace.SpanFromContext(ctx), opentracing.SpanFromContext(ctx)
				kept.SetAttributes(attribute.Bool("in time", true))
				return nil, nil
			})
			kept.SetAttributes(attribute.Bool("late", true))
			kept.AddEvent("late")
			kept.RecordError(errors.New("late"))
			kept.SetStatus(codes.Error, "late")
			kept.SetName("late")
			kept.End()
			ot.SetTag("late", true).SetOperationName("late")
			ot.LogKV("event", "late")
			ot.Finish()
			spans := memory.GetSpans()
			if len(spans) != 1 || kept.IsRecording() {
				t.Fatalf("%d spans, records %t", len(spans), kept.IsRecording())
			}
			j := spans[0].(*jaeger.Span)
			if tags := j.Tags(); tags["late"] != nil || tags["error"] != nil || tags["in time"] != true || len(j.Logs()) != 0 {
				t.Errorf("tags %v, logs %v", tags, j.Logs())
			}
			if j.OperationName() != info.FullMethod {
				t.Errorf("name %q", j.OperationName())
			}
			if s := tracer.Stats(); s.Started != 1 || s.Repeated != 0 || s.Open != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

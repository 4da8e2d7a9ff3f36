package otelbridge_test

import (
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestInstall(t *testing.T) {
	memory := jaeger.NewInMemoryReporter()
	cfg := tracerinit.Config{Service: "shop", Reporters: []jaeger.Reporter{memory}, LookupEnv: noEnv}
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	defer opentracing.SetGlobalTracer(opentracing.NoopTracer{})
	b := otelbridge.Install(tracer)
	if again := otelbridge.Install(nil); again != b {
		t.Error("a second Install has wrapped the bridge")
	}
	if _, err := tracerinit.Start(cfg); err == nil || !strings.Contains(err.Error(), "already running") {
		t.Errorf("a second Start: %v", err)
	}
	parent, ctx := opentracing.StartSpanFromContext(t.Context(), "parent")
	_, child := otel.Tracer("lib").Start(ctx, "child")
	child.End()
	parent.Finish()
	if j, ok := otelbridge.Unwrap(parent).(*jaeger.Span); !ok || j.OperationName() != "parent" || memory.SpansSubmitted() != 2 {
		t.Errorf("unwrapped %v, %d spans", otelbridge.Unwrap(parent), memory.SpansSubmitted())
	}
}

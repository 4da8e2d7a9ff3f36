package otelbridge_test

import (
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// early is a tracer that a library has taken before the program could install a bridge. OpenTelemetry's globals hand it
// to the first provider of a process alone.
var (
	early     = otel.Tracer("early")
	installed = false
)

func TestInstallWrapsTheGlobalTracerOnce(t *testing.T) {
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
	if again := otelbridge.Install(b.OpenTracing(), otelbridge.WithLimits(otelbridge.Limits{Events: 1})); again != b {
		t.Error("an Install of the bridge's own tracer has wrapped it")
	}
	if _, err := tracerinit.Start(cfg); err == nil || !strings.Contains(err.Error(), "already running") {
		t.Errorf("a second Start: %v", err)
	}
	parent, ctx := opentracing.StartSpanFromContext(t.Context(), "parent")
	ctx, child := otel.Tracer("lib").Start(ctx, "child")
	_, other := early.Start(ctx, "early")
	if fromHere := other.SpanContext().TraceID() == child.SpanContext().TraceID() && other.IsRecording(); fromHere == installed {
		t.Errorf("the early tracer makes spans here: %t", fromHere)
	}
	installed = true
	out := propagation.MapCarrier{}
	otel.GetTextMapPropagator().Inject(ctx, out)
	if !strings.Contains(out["traceparent"], child.SpanContext().SpanID().String()) {
		t.Errorf("sent %v, want %v", out, child.SpanContext())
	}
	other.End()
	child.End()
	parent.Finish()
	if j, ok := otelbridge.Unwrap(parent).(*jaeger.Span); !ok || j.OperationName() != "parent" || memory.SpansSubmitted() < 2 {
		t.Errorf("unwrapped %v, %d spans", otelbridge.Unwrap(parent), memory.SpansSubmitted())
	}
	installAnother(t, b)
}

// installAnother replaces a bridge, as tests of applications do.
func installAnother(t *testing.T, before *otelbridge.Bridge) {
	t.Helper()
	mock := mocktracer.New()
	b := otelbridge.Install(mock)
	if b == before {
		t.Fatal("the bridge has stayed")
	}
	ot, ctx := opentracing.StartSpanFromContext(t.Context(), "ot")
	_, s := otel.Tracer("lib").Start(ctx, "otel")
	s.End()
	ot.Finish()
	spans := mock.FinishedSpans()
	if len(spans) != 2 || spans[0].ParentID != spans[1].SpanContext.SpanID {
		t.Errorf("spans %v, want a child and its parent", spans)
	}
	otelbridge.Install(opentracing.NoopTracer{})
	ctx, s = otel.Tracer("lib").Start(t.Context(), "none")
	s.End()
	if s.IsRecording() || trace.SpanContextFromContext(ctx).IsValid() {
		t.Errorf("the no-op tracer makes %v", s.SpanContext())
	}
}

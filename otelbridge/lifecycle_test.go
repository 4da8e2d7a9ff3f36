package otelbridge_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestSpansThatNeverEnd are not reported, are counted as open, and leave nothing behind.
func TestSpansThatNeverEndAreNotHeld(t *testing.T) {
	for kind, start := range starters {
		if kind == "plain" {
			continue // the bridge does not see it
		}
		t.Run(kind, func(t *testing.T) {
			memory := jaeger.NewInMemoryReporter()
			// A span that is forgotten cannot be finished.
			below := newTracerThatSpansOutlive(t, tracerinit.Config{Reporters: []jaeger.Reporter{memory}})
			b := &bridged{otelbridge.New(below), below, memory}
			root, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "root")
			forget := func() weak.Pointer[jaeger.Span] {
				ctx, _ := start(b, ctx, "forgotten")
				trace.SpanFromContext(ctx).SetAttributes(attribute.Int("n", 1))
				trace.SpanFromContext(ctx).AddEvent("e")
				return weak.Make(otelbridge.Unwrap(opentracing.SpanFromContext(ctx)).(*jaeger.Span))
			}
			forgotten := forget()
			for range 10 {
				if runtime.GC(); forgotten.Value() == nil {
					break
				}
			}
			if forgotten.Value() != nil {
				t.Error("the span is held")
			}
			root.Finish()
			if n := len(b.memory.GetSpans()); n != 1 {
				t.Errorf("%d spans were reported, want the root alone", n)
			}
			if s := b.below.Stats(); s.Started != 2 || s.Open != 1 || s.Reported != 1 || s.Repeated != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// TestEndsCountOnce ends spans by both APIs, from several goroutines, late and again.
func TestEndsCountOnce(t *testing.T) {
	for kind, start := range starters {
		if kind == "plain" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			b := newBridge(t)
			ctx, end := start(b, t.Context(), "s")
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(end)
				wg.Go(func() { opentracing.SpanFromContext(ctx).Finish() })
				wg.Go(func() { trace.SpanFromContext(ctx).End(trace.WithTimestamp(time.Unix(1, 0))) })
			}
			wg.Wait()
			end()
			if s := b.below.Stats(); s.Started != 1 || s.Open != 0 || s.Reported != 1 || s.Repeated != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// TestChildrenOutliveTheirParents as those of asynchronous work do.
func TestChildrenOutliveTheirParents(t *testing.T) {
	b := newBridge(t)
	ctx, end := starters["otel"](b, t.Context(), "parent")
	end()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, kind := range []string{"otel", "hooked"} {
			_, end := starters[kind](b, ctx, kind)
			end()
		}
	}()
	<-done
	b.wantChild(t, "otel", "parent")
	b.wantChild(t, "hooked", "parent")
}

// TestSpansThatEndAfterShutdown are counted as lost, as those are that start then, and nothing else happens to them.
func TestSpansThatEndAfterShutdown(t *testing.T) {
	b := newBridge(t)
	ctx, s := b.tracer().Start(t.Context(), "s")
	b.below.Close()
	_, late := b.tracer().Start(ctx, "late")
	if late.IsRecording() {
		t.Error("a span that was started after the shutdown records")
	}
	if late.SpanContext().TraceID() != s.SpanContext().TraceID() {
		t.Errorf("it shows %v, want the trace of %v", late.SpanContext(), s.SpanContext())
	}
	late.End()
	s.SetAttributes(attribute.Int("n", 1))
	s.End()
	if got := b.below.Stats(); got.Open != 0 || got.Started != 2 || got.Reported != 2 || got.Reporters[0].Closed != 2 {
		t.Errorf("stats %+v", got)
	}
}

// TestDisabledTracersWithoutACaller make spans that are like those of OpenTelemetry's no-op tracer.
func TestDisabledTracersWithoutACaller(t *testing.T) {
	b := newBridgeOf(t, tracerinit.Config{Disabled: true})
	ctx, s := b.tracer().Start(t.Context(), "s")
	if s.IsRecording() || s.SpanContext().IsValid() || trace.SpanContextFromContext(ctx).IsValid() {
		t.Errorf("records %t, context %v", s.IsRecording(), s.SpanContext())
	}
	ot, ctx := opentracing.StartSpanFromContextWithTracer(ctx, b.OpenTracing(), "ot")
	ctx, inner := b.tracer().Start(ctx, "inner")
	inner.SetAttributes(attribute.Int("n", 1))
	inner.AddEvent("e")
	inner.RecordError(context.Canceled)
	out := propagation.MapCarrier{}
	if b.Propagator().Inject(ctx, out); len(out) != 0 {
		t.Errorf("injected %v", out)
	}
	inner.End()
	ot.Finish()
	s.End()
	if n := len(b.memory.GetSpans()); n != 0 {
		t.Errorf("%d spans", n)
	}
}

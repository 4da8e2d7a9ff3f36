package otelbridge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// embedded is a tracer of an application around one of the kit.
type embedded struct{ *tracerinit.Tracer }

// foreign is a tracer that knows OpenTracing alone, and its spans have no ids.
type foreign struct{ opentracing.Tracer }

func (f foreign) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	return foreignSpan{f.Tracer.StartSpan(name, opts...), f}
}

type foreignSpan struct {
	opentracing.Span
	tracer foreign
}

func (s foreignSpan) Tracer() opentracing.Tracer { return s.tracer }

// tracers are what a bridge may be given. hasIDs is whether OpenTelemetry sees ids, and records whether spans record.
var tracers = map[string]struct {
	make            func(t *testing.T) opentracing.Tracer
	hasIDs, records bool
}{
	"tracerinit": {func(t *testing.T) opentracing.Tracer { return quietTracer(t, tracerinit.Always()) }, true, true},
	"with metrics": {func(t *testing.T) opentracing.Tracer {
		return newTracer(t, tracerinit.Config{Metrics: jaeger.NewNullMetrics(), Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	}, true, true},
	"embedded": {func(t *testing.T) opentracing.Tracer { return embedded{quietTracer(t, tracerinit.Always())} }, true, true},
	"stock": {func(t *testing.T) opentracing.Tracer {
		tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
		t.Cleanup(func() { closer.Close() })
		return tracer
	}, true, true},
	"stock with carrier": {func(t *testing.T) opentracing.Tracer {
		p, err := carrier.New(carrier.Config{})
		if err != nil {
			t.Fatal(err)
		}
		tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), append(p.TracerOptions(), testspans.Finished(t))...)
		t.Cleanup(func() { closer.Close() })
		return tracer
	}, true, true},
	"mocktracer": {func(*testing.T) opentracing.Tracer { return mocktracer.New() }, true, true},
	"spantest":   {func(t *testing.T) opentracing.Tracer { return spantest.New(t) }, true, true},
	"no-op":      {func(*testing.T) opentracing.Tracer { return opentracing.NoopTracer{} }, false, false},
	"pointer":    {func(*testing.T) opentracing.Tracer { return &opentracing.NoopTracer{} }, false, false},
	"foreign":    {func(*testing.T) opentracing.Tracer { return foreign{mocktracer.New()} }, true, true},
	"not sampled": {func(t *testing.T) opentracing.Tracer {
		return quietTracer(t, tracerinit.Never())
	}, true, false},
}

// TestEveryTracerCanBeBelowABridge does with each tracer what a library does, and sends the trace to another process with the same.
func TestEveryTracerCanBeBelowABridge(t *testing.T) {
	for name, tt := range tracers {
		t.Run(name, func(t *testing.T) {
			b := otelbridge.New(tt.make(t))
			root, ctx := opentracing.StartSpanFromContextWithTracer(t.Context(), b.OpenTracing(), "root")
			ctx, s := b.TracerProvider().Tracer("lib", trace.WithSchemaURL("s")).Start(ctx, "s", trace.WithSpanKind(trace.SpanKindClient),
				trace.WithAttributes(attribute.Int("n", 1), attribute.StringSlice("l", []string{"a"})),
				trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})}))
			s.AddEvent("e", trace.WithAttributes(attribute.Int("n", 1)))
			s.RecordError(fmt.Errorf("boom"), trace.WithStackTrace(true))
			s.SetStatus(codes.Error, "d")
			s.SetName("t")
			if s.SpanContext().IsValid() != tt.hasIDs || s.IsRecording() != tt.records {
				t.Errorf("context %v, records %t", s.SpanContext(), s.IsRecording())
			}
			if got := trace.SpanContextFromContext(ctx); !got.Equal(s.SpanContext()) {
				t.Errorf("the context has %v, not %v", got, s.SpanContext())
			}
			sent := propagation.MapCarrier{}
			b.Propagator().Inject(ctx, sent)
			caller := trace.SpanContextFromContext(b.Propagator().Extract(t.Context(), sent))
			if caller.IsValid() != tt.hasIDs || caller.TraceID() != s.SpanContext().TraceID() || caller.SpanID() != s.SpanContext().SpanID() {
				t.Errorf("sent %v, which names %v, not %v", sent, caller, s.SpanContext())
			}
			_, remote := b.TracerProvider().Tracer("lib").Start(b.Propagator().Extract(t.Context(), sent), "remote")
			if remote.SpanContext().TraceID() != s.SpanContext().TraceID() {
				t.Errorf("the callee starts trace %v", remote.SpanContext())
			}
			remote.End()
			s.End()
			root.Finish()
			if s.IsRecording() {
				t.Error("it records after its end")
			}
		})
	}
}

// TestNilTracerIsTheGlobalOne has the no-op tracer if the program has none.
func TestNilTracerIsTheGlobalOne(t *testing.T) {
	defer opentracing.SetGlobalTracer(opentracing.GlobalTracer())
	mock := mocktracer.New()
	for name, global := range map[string]opentracing.Tracer{"none": opentracing.NoopTracer{}, "mocktracer": mock} {
		t.Run(name, func(t *testing.T) {
			opentracing.SetGlobalTracer(global)
			_, s := otelbridge.New(nil).TracerProvider().Tracer("lib").Start(t.Context(), "s")
			if s.SpanContext().IsValid() != (name == "mocktracer") {
				t.Errorf("%v", s.SpanContext())
			}
			s.End()
		})
	}
	if n := len(mock.FinishedSpans()); n != 1 {
		t.Errorf("%d spans", n)
	}
}

// TestTracersWithoutLimitsGetTheDefaultOnes wants no more of anything than the specification's 128.
func TestTracersWithoutLimitsGetTheDefaultOnes(t *testing.T) {
	tracer := mocktracer.New()
	_, s := otelbridge.New(tracer).TracerProvider().Tracer("lib").Start(t.Context(), "s")
	var many []attribute.KeyValue
	for i := range 200 {
		many = append(many, attribute.Int(fmt.Sprintf("key-%03d", i), i))
	}
	s.SetAttributes(many...)
	for range 200 {
		s.AddEvent("event", trace.WithAttributes(many...))
	}
	s.End()
	span := tracer.FinishedSpans()[0]
	attributes := 0
	for key := range span.Tags() {
		if strings.HasPrefix(key, "key-") {
			attributes++
		}
	}
	fields := 0
	for _, f := range span.Logs()[0].Fields {
		if strings.HasPrefix(f.Key, "key-") {
			fields++
		}
	}
	if attributes != 128 || len(span.Logs()) != 128 || fields != 128 {
		t.Errorf("%d attributes, %d events, %d attributes of an event", attributes, len(span.Logs()), fields)
	}
}

// Package tracer_test runs OpenTracing's own checks of a tracer on the one that tracerinit starts.
package tracer_test

import (
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/harness"
	"github.com/uber/jaeger-client-go"
	"go.uber.org/goleak"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheTracerPassesOpenTracingsHarness(t *testing.T) {
	harness.RunAPIChecks(t, func() (opentracing.Tracer, func()) { return started(t, tracerinit.Config{}) },
		harness.CheckEverything(), harness.UseProbe(probe{}))
}

// A tracer that samples nothing keeps the API's promises too; baggage needs a trace to ride on.
func TestAPI_never_sampled(t *testing.T) {
	harness.RunAPIChecks(t, func() (opentracing.Tracer, func()) {
		return started(t, tracerinit.Config{Sampler: tracerinit.Never()})
	}, harness.CheckEverything(), harness.UseProbe(probe{}))
}

// Every format carries what the checks inject.
func TestAPI_by_format(t *testing.T) {
	for name, f := range map[string]carrier.Format{"W3C": carrier.W3C, "Jaeger": carrier.Jaeger, "B3": carrier.B3, "B3Multi": carrier.B3Multi} {
		t.Run(name, func(t *testing.T) {
			only := carrier.Config{Extract: []carrier.Format{f}, Inject: []carrier.Format{f}}
			harness.RunAPIChecks(t, func() (opentracing.Tracer, func()) {
				return started(t, tracerinit.Config{Propagation: only})
			}, harness.CheckInject(true), harness.CheckExtract(true), harness.UseProbe(probe{}))
		})
	}
}

func started(t *testing.T, cfg tracerinit.Config) (opentracing.Tracer, func()) {
	t.Helper()
	cfg.Service, cfg.Local = "harness", true
	cfg.Reporters = []jaeger.Reporter{jaeger.NewInMemoryReporter()}
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tracer, func() { _ = tracer.Close() }
}

// probe reports to the harness which spans and contexts belong together.
type probe struct{}

func (probe) SameTrace(first, second opentracing.Span) bool {
	return carrier.TraceID(first.Context()) == carrier.TraceID(second.Context())
}

func (probe) SameSpanContext(span opentracing.Span, context opentracing.SpanContext) bool {
	return carrier.TraceID(span.Context()) == carrier.TraceID(context) && carrier.SpanID(span.Context()) == carrier.SpanID(context)
}

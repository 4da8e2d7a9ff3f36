package otelbridge

import (
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// Bridge makes one tracer serve the OpenTracing and the OpenTelemetry API. It may be used concurrently.
type Bridge struct {
	below      opentracing.Tracer
	hooked     *hookedTracer
	provider   *provider
	engine     *engine.Engine      // of hooked; nil if below has none
	propagator *carrier.Propagator // of below; nil if it has none of the kit's
	limits     Limits
	fields     []string // see propagator.Fields
	state      atomic.Pointer[parsedState]
}

// New returns a Bridge around tracer, which makes all spans. It may be a [tracerinit.Tracer], a stock [jaeger.Tracer],
// or, in tests, a [spantest.Tracer] or [mocktracer.MockTracer]; of other tracers OpenTelemetry sees no ids. If tracer
// is nil, it is the current [opentracing.GlobalTracer]. If it already comes from a Bridge, New returns that Bridge.
//
// [tracerinit.Tracer]: https://pkg.go.dev/github.com/spanloom/spanloom/tracerinit#Tracer
// [spantest.Tracer]: https://pkg.go.dev/github.com/spanloom/spanloom/spantest#Tracer
// [mocktracer.MockTracer]: https://pkg.go.dev/github.com/opentracing/opentracing-go/mocktracer#MockTracer
func New(tracer opentracing.Tracer, opts ...Option) *Bridge {
	if tracer == nil {
		tracer = opentracing.GlobalTracer()
	}
	if h, ok := tracer.(*hookedTracer); ok {
		return h.bridge
	}
	b := &Bridge{below: tracer, limits: limitsOf(tracer)}
	for _, o := range opts {
		if o != nil {
			o(b)
		}
	}
	b.hooked = &hookedTracer{Tracer: tracer, bridge: b}
	b.provider = &provider{bridge: b}
	if p, ok := tracer.(interface{ Propagator() *carrier.Propagator }); ok {
		b.propagator = p.Propagator()
	}
	if e := engine.Of(tracer); e != nil {
		shown := *e
		shown.Owner, shown.Views = b.hooked, views{b}
		b.engine = &shown
	}
	b.fields = b.injectedKeys()
	return b
}

// Install makes a Bridge around tracer with [New] and sets OpenTelemetry's global TracerProvider and TextMapPropagator
// and OpenTracing's global tracer to it. Call it once, after the tracer was started and before the program serves.
func Install(tracer opentracing.Tracer, opts ...Option) *Bridge {
	b := New(tracer, opts...)
	opentracing.SetGlobalTracer(b.OpenTracing())
	otel.SetTracerProvider(b.TracerProvider())
	otel.SetTextMapPropagator(b.Propagator())
	return b
}

// OpenTracing returns the tracer for OpenTracing code, which is to be used in place of the one that New was given.
func (b *Bridge) OpenTracing() opentracing.Tracer { return b.hooked }

// TracerProvider returns the provider of tracers for OpenTelemetry code.
func (b *Bridge) TracerProvider() trace.TracerProvider { return b.provider }

// Propagator returns a propagator for OpenTelemetry code that reads and writes what the tracer does, baggage included.
// If a context already holds a span of the trace that a carrier names, Extract leaves that span active. It also ignores
// the caller that a middleware of this kit in front has not trusted: see httpmw.WithPublicEndpoint.
func (b *Bridge) Propagator() propagation.TextMapPropagator { return propagator{b} }

// Unwrap returns the span that the tracer below the Bridge has made, such as a *jaeger.Span, or s itself if it does
// not come from a Bridge.
func Unwrap(s opentracing.Span) opentracing.Span {
	if v, ok := s.(*span); ok {
		return v.ot
	}
	return s
}

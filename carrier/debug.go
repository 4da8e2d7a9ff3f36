package carrier

import (
	"fmt"
	"math"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/utils"

	"github.com/spanloom/spanloom/internal/header"
)

// DebugPolicy is what a caller's debug flag, in any format, and its jaeger-debug-id may do. The zero value ignores
// them: the flag's trace stays sampled as the caller decided, and the id starts nothing.
type DebugPolicy struct{ perSecond float64 }

// IgnoreDebug is the default.
func IgnoreDebug() DebugPolicy { return DebugPolicy{} }

// AllowDebug obeys every debug flag and id. Anybody who can send a request can then have a trace recorded.
func AllowDebug() DebugPolicy { return DebugPolicy{math.Inf(1)} }

// LimitDebug obeys up to perSecond debug flags and ids a second, after a first burst of as many, and ignores the
// rest.
func LimitDebug(perSecond float64) DebugPolicy { return DebugPolicy{perSecond} }

// String returns "ignore", "allow" or the rate.
func (d DebugPolicy) String() string {
	switch {
	case d.perSecond == 0:
		return "ignore"
	case math.IsInf(d.perSecond, 1):
		return "allow"
	}
	return fmt.Sprintf("%g/s", d.perSecond)
}

func (d DebugPolicy) check() string {
	if d.perSecond < 0 || math.IsNaN(d.perSecond) {
		return fmt.Sprintf("debug rate %g is not positive", d.perSecond)
	}
	return ""
}

// allowFunc returns a function that reports whether to obey one more debug request.
func (d DebugPolicy) allowFunc() func() bool {
	switch {
	case !(d.perSecond > 0):
		return func() bool { return false }
	case math.IsInf(d.perSecond, 1):
		return func() bool { return true }
	}
	limiter := utils.NewRateLimiter(d.perSecond, max(d.perSecond, 1))
	return func() bool { return limiter.CheckCredit(1) }
}

// debugID returns the jaeger-debug-id to obey, or "". A B3 debug state without ids has the same effect.
func (in *incoming) debugID() string {
	if in.parent.debug {
		return "b3"
	}
	if !in.p.reads.has(jaegerDebugID) {
		return ""
	}
	v := in.src.get(jaegerDebugID)
	id := trimSpace(v.first)
	if id == "" {
		return ""
	}
	if len(id) > in.p.limits.DebugID || !header.IsPrintable(id) || !in.p.debug() {
		in.p.counts.count(debugIgnored)
		return ""
	}
	return id
}

// debugMarker sets what jaeger-client-go sets only by itself: the debug flag, when a span is forced to be sampled,
// and the debug id, when it reads one. Its tracer reports nothing.
type debugMarker struct {
	tracer opentracing.Tracer
	reader jaeger.Extractor
}

func newDebugMarker() *debugMarker {
	tracer, _ := jaeger.NewTracer("", jaeger.NewConstSampler(false), jaeger.NewNullReporter())
	return &debugMarker{
		tracer: tracer,
		reader: jaeger.NewTextMapPropagator((&jaeger.HeadersConfig{}).ApplyDefaults(), *jaeger.NewNullMetrics()),
	}
}

// setFlag sets the flags sampled and debug in the sampling state of sc.
func (m *debugMarker) setFlag(sc jaeger.SpanContext) {
	ext.SamplingPriority.Set(m.tracer.StartSpan("", jaegerSelf{sc}), 1)
}

// jaegerSelf is a start option: the span has the context itself, not a child of it.
type jaegerSelf struct{ sc jaeger.SpanContext }

func (s jaegerSelf) Apply(o *opentracing.StartSpanOptions) {
	o.References = append(o.References, jaeger.SelfRef(s.sc))
}

// withID returns sc, which has no ids, with a debug id.
func (m *debugMarker) withID(sc jaeger.SpanContext, id string) jaeger.SpanContext {
	marked, err := m.reader.Extract(opentracing.TextMapCarrier{jaeger.JaegerDebugHeader: id})
	if err != nil {
		return sc
	}
	marked.CopyFrom(&sc) // all but the debug id
	return marked
}

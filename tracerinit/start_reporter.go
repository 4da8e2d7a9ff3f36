package tracerinit

import (
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// StartReporter is implemented by those of [Config.Reporters] that want to know which spans are open, such as
// [github.com/spanloom/spanloom/traceview.View]. If none does, starting a span costs nothing more.
type StartReporter interface {
	// ReportStart is called for each span whose trace is sampled when it starts, in the goroutine that starts it, so
	// it should be quick. The context sc has the ids but no baggage. Report gets the span when it ends, if it ever
	// does, unless sc.IsSampled has become false until then, because the program set sampling.priority to 0. The name
	// may change until the span ends. A panic is swallowed.
	ReportStart(name string, sc jaeger.SpanContext, start time.Time)
}

// hasStartReporter reports whether any reporter is a [StartReporter].
func hasStartReporter(reporters []jaeger.Reporter) bool {
	for _, r := range reporters {
		if _, ok := r.(StartReporter); ok {
			return true
		}
	}
	return false
}

// ReportStart implements [engine.StartReporter].
func (f *fanout) ReportStart(name string, sc jaeger.SpanContext, start time.Time) {
	for _, r := range f.reporters {
		if r.starts != nil {
			r.reportStart(name, sc, start)
		}
	}
}

func (r *reporter) reportStart(name string, sc jaeger.SpanContext, start time.Time) {
	if r.closed.Load() {
		return
	}
	defer func() { _ = recover() }()
	r.starts.ReportStart(name, sc, start)
}

// startObserver reports the spans that jaeger-client-go starts itself, also if a program calls its tracer directly
// through Span.Tracer. It observes nothing of a span but its start.
type startObserver struct{ fan *fanout }

// OnStartSpan implements [jaeger.ContribObserver].
func (o startObserver) OnStartSpan(
	span opentracing.Span, name string, options opentracing.StartSpanOptions,
) (jaeger.ContribSpanObserver, bool) {
	if s, ok := span.(*jaeger.Span); ok {
		if sc := s.SpanContext(); sc.IsSampled() {
			o.fan.ReportStart(name, engine.WithoutBaggage(sc), options.StartTime)
		}
	}
	return nil, false
}

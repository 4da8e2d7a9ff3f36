package rpcspan

import (
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// Inject writes the parent's context into headers, a carrier for [opentracing.HTTPHeaders]. valid reports whether all
// that was written is known to be sendable, which holds if t has the kit's propagator. Other tracers make headers of
// any baggage, even of items that a remote caller made up.
func (p *Parent) Inject(t opentracing.Tracer, headers any) (valid bool, err error) {
	e := engine.Of(t)
	if e != nil && p.foreign == nil {
		return true, e.Propagator.Inject(p.jaeger, headers)
	}
	return e != nil, t.Inject(p.Context(), opentracing.HTTPHeaders, headers)
}

// Propagator returns the kit's propagator if t has it, else nil.
func Propagator(t opentracing.Tracer) *carrier.Propagator {
	if e := engine.Of(t); e != nil {
		return e.Propagator
	}
	return nil
}

// Distrust keeps the baggage in headers, those of a caller that is not trusted, out of what is sent in the trace that s
// starts: a proxy copies the headers of a request to the one that it sends. It is called before other code can reach s.
func (s *Span) Distrust(t opentracing.Tracer, headers any) {
	if s.jaeger == nil {
		return
	}
	parent := s.Parent()
	_, _ = parent.Inject(t, carrier.Untrusted{Carrier: headers}) // an error: the tracer has another propagator
}

// continueBaggage passes on to s, which starts a trace, what came with the baggage of a caller that sent no ids.
func (s *Span) continueBaggage(e *engine.Engine, parent *Parent) {
	if e != nil && s.jaeger != nil && parent.valid && parent.foreign == nil && !parent.jaeger.IsValid() {
		e.Propagator.Continue(engine.ContextOf(s.jaeger), parent.jaeger)
	}
}

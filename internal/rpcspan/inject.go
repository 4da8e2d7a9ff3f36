package rpcspan

import (
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// Inject writes the parent's context into headers, a carrier for opentracing.HTTPHeaders. It is lawful if all that was
// written can surely be sent: t has our propagator. Others make headers of any baggage, also of such that a remote caller
// made up.
func (p *Parent) Inject(t opentracing.Tracer, headers any) (lawful bool, err error) {
	if e := engine.Of(t); e != nil && p.other == nil {
		return true, e.Propagator.Inject(p.own, headers)
	}
	return engine.Of(t) != nil, t.Inject(p.Context(), opentracing.HTTPHeaders, headers)
}

// Propagator returns our propagator if t has it, else nil.
func Propagator(t opentracing.Tracer) *carrier.Propagator {
	if e := engine.Of(t); e != nil {
		return e.Propagator
	}
	return nil
}

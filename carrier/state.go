package carrier

import "github.com/uber/jaeger-client-go"

// state is what a request brings along that jaeger.SpanContext has no field for. It rides in the sampling state,
// which all spans of the request in this process share, and never changes.
type state struct {
	tracestate string
	random     bool
	properties []property
	debugID    string // only of a context without ids, so that it can be passed on
}

// property is what followed the value of a W3C baggage item. It is passed on while the item keeps its value.
type property struct{ key, value, text string }

func (s *state) empty() bool {
	return s.tracestate == "" && !s.random && len(s.properties) == 0 && s.debugID == ""
}

// propertyOf returns the text to append to an item, "" if there is none.
func (s *state) propertyOf(key, value string) string {
	if s == nil {
		return ""
	}
	for i := range s.properties {
		if pr := &s.properties[i]; pr.key == key && pr.value == value {
			return pr.text
		}
	}
	return ""
}

type stateKey struct{}

// hasSamplingState is the parent id of the contexts without a trace id that this package makes. Those of
// jaeger-client-go have no sampling state, and asking them for it panics.
const hasSamplingState jaeger.SpanID = 1

func (p *Propagator) attach(sc jaeger.SpanContext, s *state) {
	if s.empty() {
		return
	}
	if !p.stateSeen.Load() {
		p.stateSeen.Store(true)
	}
	kept := *s // only what is kept goes to the heap
	sc.ExtendedSamplingState(stateKey{}, func() any { return &kept })
}

// stateOf returns the state of sc's trace, or nil. Asking leaves a mark in the trace, so nobody asks before this
// Propagator has met a first state.
func (p *Propagator) stateOf(sc jaeger.SpanContext) *state {
	if !p.stateSeen.Load() || !sc.IsValid() && sc.ParentID() != hasSamplingState {
		return nil
	}
	s, _ := sc.ExtendedSamplingState(stateKey{}, func() any { return (*state)(nil) }).(*state)
	return s
}

// TraceState returns the W3C tracestate that came with sc's trace, or "". It costs nothing as long as this
// Propagator has met none.
func (p *Propagator) TraceState(sc jaeger.SpanContext) string {
	if s := p.stateOf(sc); s != nil {
		return s.tracestate
	}
	return ""
}

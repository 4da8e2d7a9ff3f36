package carrier

import "github.com/uber/jaeger-client-go"

// state is what a request brings along that [jaeger.SpanContext] has no field for. It is kept in the sampling state,
// which all spans of the request in this process share, and never changes.
type state struct {
	tracestate string
	random     bool
	properties []property
	refused    refusals
	debugID    string        // only of a context without ids, so that it can be passed on
	b3         Format        // the encoding of B3 in which the caller is answered; 0, which is not one of B3: none
	madeUp     jaeger.SpanID // of a caller that sent no ids but only denied sampling; 0: there is none
}

// property is what followed the value of a W3C baggage item. It is passed on while the item keeps its value.
type property struct{ key, value, text string }

func (s *state) empty() bool { return s.b3 == 0 && s.atMostB3() }

// atMostB3 reports whether there is nothing but b3, if even that.
func (s *state) atMostB3() bool {
	return s.tracestate == "" && !s.random && len(s.properties) == 0 && s.refused.empty() && s.debugID == "" &&
		s.madeUp == 0
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

// rootlessParentID is the parent id of the contexts without a trace id that this package makes. Those of
// jaeger-client-go have no sampling state, so that their IsSampled panics.
const rootlessParentID jaeger.SpanID = 1

// b3Only are the states of traces that came in B3 and brought nothing else. Sharing them saves an allocation.
var b3Only = map[Format]*state{B3: {b3: B3}, B3Multi: {b3: B3Multi}}

// attach gives s to the trace of sc, unless the trace has a state.
func (p *Propagator) attach(sc jaeger.SpanContext, s *state) {
	if s.empty() {
		return
	}
	if !p.stateSeen.Load() {
		p.stateSeen.Store(true)
	}
	var kept *state
	if s.atMostB3() {
		kept = b3Only[s.b3]
	} else {
		copied := *s // only what is kept goes to the heap
		kept = &copied
	}
	sc.ExtendedSamplingState(stateKey{}, func() any { return kept })
}

// stateOf returns the state of sc's trace, or nil. Looking it up leaves an entry in the trace, so it is not looked up
// before this Propagator has attached a first one.
func (p *Propagator) stateOf(sc jaeger.SpanContext) *state {
	if !p.stateSeen.Load() || !sc.IsValid() && sc.ParentID() != rootlessParentID {
		return nil
	}
	s, _ := sc.ExtendedSamplingState(stateKey{}, func() any { return (*state)(nil) }).(*state)
	return s
}

// TraceState returns the W3C tracestate that came with sc's trace, or "". It costs nothing as long as this
// Propagator has extracted none.
func (p *Propagator) TraceState(sc jaeger.SpanContext) string {
	if s := p.stateOf(sc); s != nil {
		return s.tracestate
	}
	return ""
}

// IsRandom reports whether the caller of sc's trace has set the flag of W3C Trace Context that its id is random.
func (p *Propagator) IsRandom(sc jaeger.SpanContext) bool {
	s := p.stateOf(sc)
	return s != nil && s.random
}

// BaggageProperties returns the properties that came with a baggage item of sc's trace, as the baggage header has them
// behind the value, or "". An item that has another value by now has none.
func (p *Propagator) BaggageProperties(sc jaeger.SpanContext, key, value string) string {
	return p.stateOf(sc).propertyOf(key, value)
}

// Continue passes on to root, the context of a new span that starts a trace, what [Propagator.Extract] kept besides
// the items of parent, which has baggage but no ids. A tracer does not: the new trace shares no state with its
// parent. Continue is called before anything is injected in the new trace.
func (p *Propagator) Continue(root, parent jaeger.SpanContext) {
	if s := p.stateOf(parent); s != nil && root.IsValid() && !parent.IsValid() {
		p.attach(root, &state{properties: s.properties, refused: s.refused})
	}
}

// Copy is a carrier that a context is extracted from as it is, with all that came with it. The copy shares no sampling
// state with the original, so that spans can be started below the two in parallel: jaeger-client-go writes to the state
// of a remote parent without a lock.
type Copy struct{ Context jaeger.SpanContext }

func (p *Propagator) copyOf(sc jaeger.SpanContext) jaeger.SpanContext {
	if !sc.IsValid() { // each span below it starts a trace with a state of its own
		return sc
	}
	var items map[string]string
	sc.ForeachBaggageItem(func(k, v string) bool {
		if items == nil {
			items = map[string]string{}
		}
		items[k] = v
		return true
	})
	in := incoming{p: p, parent: remoteOf(sc)}
	in.parent.debug = in.parent.debug && p.marker != nil
	copied := in.spanContext(items)
	if s := p.stateOf(sc); s != nil {
		p.attach(copied, s)
	}
	return copied
}

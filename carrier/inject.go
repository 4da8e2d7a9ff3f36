package carrier

import (
	"strings"

	"github.com/uber/jaeger-client-go"
)

// injectInto writes sc into carrier. Values of baggage keys with a prefix are not escaped if plain.
func (p *Propagator) injectInto(sc jaeger.SpanContext, carrier any, plain bool) error {
	if u, ok := carrier.(Untrusted); ok {
		p.distrust(sc, u.Carrier)
		return nil
	}
	t, err := openTarget(carrier, plain)
	if err != nil {
		return err
	}
	p.injectTo(sc, &t, plain)
	return nil
}

func (p *Propagator) injectTo(sc jaeger.SpanContext, t *target, plain bool) {
	out := outgoing{p: p, sc: sc, state: p.stateOf(sc)}
	out.addFormats()
	out.items = p.outgoingItems(sc, out.state)
	out.writeTo(t, plain)
}

// writeTo writes into a target that may have something already.
func (o *outgoing) writeTo(t *target, plain bool) {
	p := o.p
	t.keys = &p.keys
	var found found
	if !t.empty() {
		found = o.clean(t)
	}
	if found.baggage || len(o.items) > 0 {
		o.writeWithBaggage(t, &found, plain)
	} else {
		t.reserve(o.n)
		o.writeFields(t)
	}
	if p.custom != nil && o.sc.IsValid() {
		p.injectCustom(o.sc, t)
	}
}

// writeWithBaggage writes the context and its items, merged with those of others that the target has.
func (o *outgoing) writeWithBaggage(t *target, found *found, plain bool) {
	styles := o.fit(found, plain)
	n := o.n + 1
	if styles&prefixStyles != 0 {
		n += 2 * len(o.items)
	}
	t.reserve(n)
	o.writeFields(t)
	o.writeList(t, found, styles)
	o.writePrefixed(t, found, styles, plain)
}

// writeFields writes the context.
func (o *outgoing) writeFields(t *target) {
	for i := range o.n {
		t.set(o.p.keys.fixed[o.fields[i]].in(t.canonical), o.values[i])
	}
}

// outgoing is what to write.
type outgoing struct {
	p     *Propagator
	sc    jaeger.SpanContext
	state *state
	items []item

	fields [fixedFields]field // each field at most once
	values [fixedFields]string
	ends   [fixedFields]uint16 // of the values in the text that they are parts of
	n      int
	set    fieldSet
}

func (o *outgoing) add(f field, value string) {
	o.fields[o.n], o.values[o.n] = f, value
	o.set |= 1 << f
	o.n++
}

// addBytes adds f, whose value is what text has more than before, and returns text.
func (o *outgoing) addBytes(f field, text []byte) []byte {
	o.ends[o.n] = uint16(len(text))
	o.add(f, "")
	return text
}

// slice makes one string of text, of which the values added by addBytes are parts.
func (o *outgoing) slice(text []byte) {
	whole, start := string(text), uint16(0)
	for i := range o.n {
		o.values[i] = whole[start:o.ends[i]]
		start = o.ends[i]
	}
}

// typicalText is room for all formats that are built in. More is allocated if a text grows longer.
const typicalText = 320

// addFormats adds the context in all formats.
func (o *outgoing) addFormats() {
	st := o.state
	if !o.sc.IsValid() {
		if st != nil && st.debugID != "" && o.p.manages.has(jaegerDebugID) {
			o.add(jaegerDebugID, st.debugID)
		}
		return
	}
	r := remoteOf(o.sc)
	if st != nil {
		r.random = st.random
		if st.madeUp != 0 && o.hideMadeUp(&r) {
			return
		}
	}
	var buf [typicalText]byte
	text := buf[:0]
	for _, f := range o.p.inject {
		text = o.write(text, f, &r)
	}
	if st != nil && st.b3 != 0 { // there is one only if no format of B3 is in inject
		text = o.write(text, st.b3, &r)
	}
	o.slice(text)
	if st != nil && st.tracestate != "" && o.set.has(traceparent) {
		o.add(tracestate, st.tracestate)
	}
}

// hideMadeUp removes the made-up parent from r. If r itself is made up, because there is no span yet, it adds the
// caller's decision in B3, as it came, and returns true. Other formats cannot say it without ids.
func (o *outgoing) hideMadeUp(r *remote) (added bool) {
	if r.parent == o.state.madeUp {
		r.parent = 0
	}
	if r.span != o.state.madeUp {
		return false
	}
	for _, f := range append(o.p.inject[:len(o.p.inject):len(o.p.inject)], o.state.b3) {
		switch f {
		case B3:
			o.add(b3, "0")
		case B3Multi:
			o.add(b3Sampled, "0")
		}
	}
	return o.n > 0
}

// found is the baggage that a target already has from others.
type found struct {
	baggage   bool   // there is any key of baggage
	lines     values // of the list header
	overLimit bool   // there is more of it than can be sent with anything else
	respelled bool   // in an odd spelling of its key
	hasJaeger bool   // there is a jaeger-baggage header
	items     int
	bytes     int
	prefixed  int // keys with a prefix
}

// clean removes from t the keys that this package manages, but those that are about to be overwritten and what others
// wrote: baggage, and X-B3-* of the same trace if the kit writes none.
func (o *outgoing) clean(t *target) (found found) {
	theirs := fieldSet(0)
	if t.headers == nil {
		for k, v := range t.each {
			theirs |= o.cleanKey(t, &found, k, v)
		}
	} else {
		for k := range t.headers { // without the values, which are not needed of most keys
			if !o.p.keys.mayBeManaged(k) {
				continue
			}
			if list := t.headers[k]; len(list) > 0 {
				theirs |= o.cleanKey(t, &found, k, values{list[0], list[1:]})
			}
		}
	}
	if theirs != 0 {
		o.cleanB3(t)
	}
	return found
}

// cleanKey is clean for one key. It returns the field if it is one of B3 that others may have written.
func (o *outgoing) cleanKey(t *target, found *found, k string, v values) (theirs fieldSet) {
	p := o.p
	switch f := p.keys.fieldOf(k); {
	case f == unmanaged || !p.manages.has(f):
	case f == baggage:
		found.baggage = true
		found.addLines(o, v)
		found.respelled = found.respelled || k != p.keys.fixed[f].in(t.canonical)
	case f == jaegerBaggage:
		found.baggage, found.hasJaeger = true, true
	case f == uberctx || f == prefixed:
		found.baggage = true
		found.addPrefixed(o, t, f, k, v)
	case b3Fields.has(f) && o.set&b3Fields == 0:
		return 1 << f
	case f < fixedFields && o.set.has(f) && k == p.keys.fixed[f].in(t.canonical):
	default:
		t.remove(k)
	}
	return 0
}

// cleanB3 removes the keys of B3 unless they belong to the trace of sc. The application forwards those by hand.
func (o *outgoing) cleanB3(t *target) {
	same := fieldSet(0)
	for k, v := range t.each {
		trace, _, _ := strings.Cut(trimSpace(v.first), "-")
		id, ok := parseTraceID(trimSpace(trace), &anyHex)
		if !ok || id != o.sc.TraceID() || len(v.more) > 0 {
			continue
		}
		switch o.p.keys.fieldOf(k) {
		case b3:
			same |= 1 << b3
		case b3TraceID:
			same |= b3MultiFields
		}
	}
	for k := range t.each {
		if f := o.p.keys.fieldOf(k); f != unmanaged && b3Fields.has(f) && !same.has(f) {
			t.remove(k)
		}
	}
}

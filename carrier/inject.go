package carrier

import (
	"net/http"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

func (p *Propagator) injectInto(sc jaeger.SpanContext, carrier any, textMap bool) error {
	var out outgoing
	items := out.addAll(p, sc)
	switch c := carrier.(type) {
	case opentracing.HTTPHeadersCarrier:
		return writeHeaders(c, &headerNames, p.manages, &out, items)
	case http.Header:
		return writeHeaders(c, &headerNames, p.manages, &out, items)
	case Multi:
		return writeHeaders(c, &lowerNames, p.manages, &out, items)
	case opentracing.TextMapCarrier:
		if c == nil {
			return opentracing.ErrInvalidCarrier
		}
		removeManaged(c, &lowerNames, p.manages, out.set)
		writeText(c, &out, items, textMap)
	case opentracing.TextMapWriter:
		writeText(c, &out, items, textMap)
	default:
		return opentracing.ErrInvalidCarrier
	}
	return nil
}

// outgoing is what to write, but for prefixed baggage.
type outgoing struct {
	fields [fixedFields]field
	values [fixedFields]string
	n      int
	set    fieldSet

	text [320]byte // where the formats are written, which is room enough for all
	size int
	ends [fixedFields]int
}

func (o *outgoing) add(f field, value string) {
	o.fields[o.n], o.values[o.n] = f, value
	o.set |= 1 << f
	o.n++
}

// mark adds f, whose value is what text has more than before.
func (o *outgoing) mark(f field, text []byte) {
	o.size = len(text)
	o.ends[o.n] = o.size
	o.add(f, "")
}

// seal makes one string of the text, of which the marked values are parts.
func (o *outgoing) seal() {
	text, start := string(o.text[:o.size]), 0
	for i := range o.n {
		o.values[i] = text[start:o.ends[i]]
		start = o.ends[i]
	}
}

// addAll adds all of sc but for prefixed baggage, which it returns.
func (o *outgoing) addAll(p *Propagator, sc jaeger.SpanContext) (prefixed []item) {
	st := p.stateOf(sc)
	o.addFormats(p, sc, st)
	items := p.sendable(sc, st)
	if p.stylesOut.has(W3CBaggage) && len(items) > 0 {
		o.add(baggage, joinBaggage(items))
	}
	if !p.stylesOut.has(JaegerBaggage) {
		return nil
	}
	return items
}

func (p *Propagator) appendPairs(kv []string, sc jaeger.SpanContext) []string {
	var out outgoing
	items := out.addAll(p, sc)
	for i := range out.n {
		kv = append(kv, lowerNames[out.fields[i]], out.values[i])
	}
	first := len(kv)
	for i := range items {
		if isMetadataKey(items[i].key) {
			kv = appendPair(kv, first, uberctxPrefix+strings.ToLower(items[i].key), items[i].escaped)
		}
	}
	return kv
}

// appendPair replaces a pair with the same key, from first on: one whose key had another letter case.
func appendPair(kv []string, first int, key, value string) []string {
	for i := first; i < len(kv); i += 2 {
		if kv[i] == key {
			kv[i+1] = value
			return kv
		}
	}
	return append(kv, key, value)
}

// addFormats adds sc in all formats.
func (o *outgoing) addFormats(p *Propagator, sc jaeger.SpanContext, st *state) {
	if !sc.IsValid() {
		if st != nil && st.debugID != "" && p.manages.has(jaegerDebugID) {
			o.add(jaegerDebugID, st.debugID)
		}
		return
	}
	r := remoteOf(sc)
	r.random = st != nil && st.random
	for _, f := range p.inject {
		o.addFormat(f, &r)
	}
	o.seal()
	if st != nil && st.tracestate != "" && o.set.has(traceparent) {
		o.add(tracestate, st.tracestate)
	}
}

func (o *outgoing) addFormat(f Format, r *remote) {
	switch f {
	case W3C:
		o.mark(traceparent, appendTraceparent(o.text[:o.size], r))
	case Jaeger:
		o.mark(uberTraceID, appendUberTraceID(o.text[:o.size], r))
	case B3:
		o.mark(b3, appendB3(o.text[:o.size], r))
	case B3Multi:
		o.mark(b3TraceID, appendShortTraceID(o.text[:o.size], r.trace))
		o.mark(b3SpanID, appendHex(o.text[:o.size], uint64(r.span)))
		if r.parent != 0 {
			o.mark(b3ParentSpanID, appendHex(o.text[:o.size], uint64(r.parent)))
		}
		if r.debug { // which implies sampled
			o.mark(b3Flags, append(o.text[:o.size], '1'))
		} else {
			o.mark(b3Sampled, append(o.text[:o.size], r.b3State()))
		}
	}
}

// writeHeaders writes to a carrier for headers, whose baggage is always escaped.
func writeHeaders(h map[string][]string, names *keyNames, managed fieldSet, out *outgoing, items []item) error {
	if h == nil {
		return opentracing.ErrInvalidCarrier
	}
	removeManaged(h, names, managed, out.set)
	lists := make([]string, out.n+len(items))
	put := func(key, value string) {
		lists[0] = value
		h[key] = lists[:1:1]
		lists = lists[1:]
	}
	for i := range out.n {
		put(names[out.fields[i]], out.values[i])
	}
	for i := range items {
		if names == &headerNames {
			put(http.CanonicalHeaderKey(uberctxPrefix+items[i].key), items[i].escaped)
		} else if isMetadataKey(items[i].key) {
			put(uberctxPrefix+strings.ToLower(items[i].key), items[i].escaped)
		}
	}
	return nil
}

// removeManaged deletes what this package manages, but the keys that are about to be overwritten.
func removeManaged[V any](m map[string]V, names *keyNames, managed, overwritten fieldSet) {
	for k := range m {
		if !mayBeManaged(k) {
			continue
		}
		f := fieldOf(k)
		if f != unmanaged && managed.has(f) && !(overwritten.has(f) && k == names[f]) {
			delete(m, k)
		}
	}
}

func writeText(w opentracing.TextMapWriter, out *outgoing, items []item, plain bool) {
	for i := range out.n {
		w.Set(lowerNames[out.fields[i]], out.values[i])
	}
	for i := range items {
		switch {
		case plain:
			w.Set(uberctxPrefix+items[i].key, items[i].value)
		case isMetadataKey(items[i].key):
			w.Set(uberctxPrefix+strings.ToLower(items[i].key), items[i].escaped)
		}
	}
}

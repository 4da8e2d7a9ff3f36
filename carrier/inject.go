package carrier

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

func (p *Propagator) injectInto(sc jaeger.SpanContext, carrier any, textMap bool) error {
	st := p.stateOf(sc)
	var out outgoing
	out.addFormats(p, sc, st)
	items := p.sendable(sc, st)
	if p.stylesOut.has(W3CBaggage) && len(items) > 0 {
		out.add(baggage, joinBaggage(items))
	}
	if !p.stylesOut.has(JaegerBaggage) {
		items = nil
	}
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
}

func (o *outgoing) add(f field, value string) {
	o.fields[o.n], o.values[o.n] = f, value
	o.set |= 1 << f
	o.n++
}

// addFormats adds sc in all formats, in one string of which the values are parts.
func (o *outgoing) addFormats(p *Propagator, sc jaeger.SpanContext, st *state) {
	if !sc.IsValid() {
		if st != nil && st.debugID != "" && p.manages.has(jaegerDebugID) {
			o.add(jaegerDebugID, st.debugID)
		}
		return
	}
	flags := sc.Flags()
	r := remote{
		trace: sc.TraceID(), span: sc.SpanID(), parent: sc.ParentID(), sampling: decided(flags&flagSampled != 0),
		debug: flags&flagDebug != 0, firehose: flags&flagFirehose != 0, random: st != nil && st.random,
	}
	var buf [256]byte
	b := buf[:0]
	var ends [fixedFields]int
	first := o.n
	add := func(f field) {
		o.add(f, "")
		ends[o.n-1] = len(b)
	}
	for _, f := range p.inject {
		switch f {
		case W3C:
			b = appendTraceparent(b, &r)
			add(traceparent)
		case Jaeger:
			b = appendUberTraceID(b, &r)
			add(uberTraceID)
		case B3:
			b = appendB3(b, &r)
			add(b3)
		case B3Multi:
			b = appendShortTraceID(b, r.trace)
			add(b3TraceID)
			b = appendHex(b, uint64(r.span))
			add(b3SpanID)
			if r.parent != 0 {
				b = appendHex(b, uint64(r.parent))
				add(b3ParentSpanID)
			}
			if r.debug {
				b = append(b, '1')
				add(b3Flags)
			} else {
				b = append(b, r.b3State())
				add(b3Sampled)
			}
		}
	}
	text, start := string(b), 0
	for i := first; i < o.n; i++ {
		o.values[i] = text[start:ends[i]]
		start = ends[i]
	}
	if o.set.has(traceparent) && st != nil && st.tracestate != "" {
		o.add(tracestate, st.tracestate)
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
			put(http.CanonicalHeaderKey(uberctxPrefix+items[i].key), url.QueryEscape(items[i].value))
		} else if isMetadataKey(items[i].key) {
			put(uberctxPrefix+strings.ToLower(items[i].key), url.QueryEscape(items[i].value))
		}
	}
	return nil
}

// removeManaged deletes what this package manages, but the keys that are about to be overwritten.
func removeManaged[V any](m map[string]V, names *keyNames, managed, overwritten fieldSet) {
	for k := range m {
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
			w.Set(uberctxPrefix+strings.ToLower(items[i].key), url.QueryEscape(items[i].value))
		}
	}
}

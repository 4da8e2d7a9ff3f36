package carrier

import (
	"strings"

	"github.com/uber/jaeger-client-go"
)

const (
	maxB3         = 128
	b3MultiFields = fieldSet(1<<b3TraceID | 1<<b3SpanID | 1<<b3ParentSpanID | 1<<b3Sampled | 1<<b3Flags)
	b3Fields      = b3MultiFields | 1<<b3
)

// isB3 reports whether f is one of the two encodings of B3.
func (f Format) isB3() bool { return f == B3 || f == B3Multi }

func (in *incoming) readB3() (r remote, ok bool) {
	s, ok := in.oneValue(b3, maxB3)
	if !ok {
		return remote{}, false
	}
	if r, ok = parseB3(s); !ok {
		in.malformed(B3)
	}
	return r, ok
}

// readB3Multi reads X-B3-*. Without a trace id they can still hold a sampling state, which counts if no format before
// this one had a context.
func (in *incoming) readB3Multi() (r remote, ok bool) {
	trace, hasTrace := in.oneValue(b3TraceID, maxB3)
	if hasTrace {
		span, _ := in.oneValue(b3SpanID, maxB3)
		if !r.setB3IDs(trimSpace(trace), trimSpace(span)) {
			in.malformed(B3Multi)
			return remote{}, false
		}
	} else if in.parent.valid() {
		return remote{}, false
	}
	if state, has := in.oneValue(b3Sampled, maxB3); has && !r.setB3State(trimSpace(state)) {
		in.malformed(B3Multi)
	}
	if flags, _ := in.oneValue(b3Flags, maxB3); trimSpace(flags) == "1" {
		r.sampling, r.debug = sampled, true
	}
	if hasTrace {
		if parent, has := in.oneValue(b3ParentSpanID, maxB3); has {
			id, _ := parseHex(trimSpace(parent), &anyHex)
			r.parent = jaeger.SpanID(id)
		}
	}
	return r, hasTrace || r.sampling != undecided
}

func (o *outgoing) writeB3(text []byte, r *remote) []byte { return o.addBytes(b3, appendB3(text, r)) }

func (o *outgoing) writeB3Multi(text []byte, r *remote) []byte {
	text = o.addBytes(b3TraceID, appendShortTraceID(text, r.trace))
	text = o.addBytes(b3SpanID, appendHex(text, uint64(r.span)))
	if r.parent != 0 {
		text = o.addBytes(b3ParentSpanID, appendHex(text, uint64(r.parent)))
	}
	if r.debug { // which implies sampled
		return o.addBytes(b3Flags, append(text, '1'))
	}
	return o.addBytes(b3Sampled, append(text, r.b3State()))
}

// parseB3 reads the single header of https://github.com/openzipkin/b3-propagation: trace-span[-sampled[-parent]], or
// the sampling state alone, which is ok but not valid.
func parseB3(s string) (r remote, ok bool) {
	s = trimSpace(s)
	trace, rest, many := strings.Cut(s, "-")
	if !many {
		ok = r.setB3State(s)
		return r, ok
	}
	span, rest, hasState := strings.Cut(rest, "-")
	state, parent, hasParent := strings.Cut(rest, "-")
	if !r.setB3IDs(trace, span) || hasState && !r.setB3State(state) {
		return remote{}, false
	}
	if !hasParent {
		return r, true
	}
	id, ok := parseHex(parent, &anyHex)
	r.parent = jaeger.SpanID(id)
	return r, ok
}

func (r *remote) setB3IDs(trace, span string) (ok bool) {
	if r.trace, ok = parseTraceID(trace, &anyHex); !ok {
		return false
	}
	r.span, ok = parseSpanID(span, &anyHex)
	return ok
}

func (r *remote) setB3State(s string) bool {
	switch {
	case s == "1" || strings.EqualFold(s, "true"):
		r.sampling = sampled
	case s == "0" || strings.EqualFold(s, "false"):
		r.sampling = unsampled
	case s == "d":
		r.sampling, r.debug = sampled, true
	default:
		return false
	}
	return true
}

func (r *remote) b3State() byte {
	switch {
	case r.debug:
		return 'd'
	case r.sampling == sampled:
		return '1'
	}
	return '0'
}

func appendB3(b []byte, r *remote) []byte {
	b = append(appendShortTraceID(b, r.trace), '-')
	b = append(appendHex(b, uint64(r.span)), '-', r.b3State())
	if r.parent != 0 {
		b = appendHex(append(b, '-'), uint64(r.parent))
	}
	return b
}

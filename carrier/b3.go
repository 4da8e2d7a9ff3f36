package carrier

import (
	"strings"

	"github.com/uber/jaeger-client-go"
)

const maxB3 = 128

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

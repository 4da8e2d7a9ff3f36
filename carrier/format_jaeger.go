package carrier

import (
	"strings"

	"github.com/uber/jaeger-client-go"
)

const (
	maxUberTraceID = 128
	flagDebug      = 2
	flagFirehose   = 8
)

func (in *incoming) readJaeger() (r remote, ok bool) {
	s, ok := in.oneValue(uberTraceID, maxUberTraceID)
	if !ok {
		return remote{}, false
	}
	if r, ok = parseUberTraceID(s); !ok {
		in.malformed(Jaeger)
	}
	return r, ok
}

func (o *outgoing) writeJaeger(text []byte, r *remote) []byte {
	return o.addBytes(uberTraceID, appendUberTraceID(text, r))
}

// parseUberTraceID reads trace:span:parent:flags in hex, where a colon may be escaped, as
// https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format has it.
func parseUberTraceID(s string) (r remote, ok bool) {
	trace, rest, ok1 := cutColon(trimSpace(s))
	span, rest, ok2 := cutColon(rest)
	parent, flags, ok3 := cutColon(rest)
	if !ok1 || !ok2 || !ok3 || len(flags) > 2 {
		return remote{}, false
	}
	if r.trace, ok = parseTraceID(trace, &anyHex); !ok {
		return remote{}, false
	}
	if r.span, ok = parseSpanID(span, &anyHex); !ok {
		return remote{}, false
	}
	id, ok := parseHex(parent, &anyHex)
	if !ok {
		return remote{}, false
	}
	bits, ok := parseHex(flags, &anyHex)
	if !ok {
		return remote{}, false
	}
	r.parent = jaeger.SpanID(id)
	r.debug = bits&flagDebug != 0
	r.firehose = bits&flagFirehose != 0
	r.sampling = decided(bits&(flagSampled|flagDebug) != 0)
	return r, true
}

// cutColon cuts s around its first colon, plain or, if there is no plain one, written %3A.
func cutColon(s string) (before, after string, found bool) {
	if i := strings.IndexByte(s, ':'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	i := strings.IndexByte(s, '%')
	if i >= 0 && len(s) > i+2 && s[i+1] == '3' && s[i+2]|0x20 == 'a' {
		return s[:i], s[i+3:], true
	}
	return s, "", false
}

func appendUberTraceID(b []byte, r *remote) []byte {
	b = append(appendShortTraceID(b, r.trace), ':')
	b = append(appendHex(b, uint64(r.span)), ':')
	b = append(appendHex(b, uint64(r.parent)), ':')
	return append(b, lowerDigits[r.jaegerFlags()])
}

func (r *remote) jaegerFlags() (flags byte) {
	if r.sampling == sampled {
		flags |= flagSampled
	}
	if r.debug {
		flags |= flagDebug
	}
	if r.firehose {
		flags |= flagFirehose
	}
	return flags
}

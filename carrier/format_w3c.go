package carrier

import (
	"strings"
)

const (
	maxTraceparent       = 256 // a version beyond 00 may be longer than lenTraceparent
	lenTraceparent       = 55
	flagSampled          = 1
	flagRandom           = 2
	maxTracestateMembers = 32
	maxTracestateKey     = 256
	maxTracestateValue   = 256
)

// readW3C reads traceparent. The tracestate is read once the trace is known to be the parent's.
func (in *incoming) readW3C() (r remote, ok bool) {
	s, ok := in.oneValue(traceparent, maxTraceparent)
	if !ok {
		return remote{}, false
	}
	if r, ok = parseTraceparent(s); !ok {
		in.malformed(W3C)
	}
	return r, ok
}

func (in *incoming) readTracestate() {
	lines := in.src.get(tracestate)
	if lines.empty() {
		return
	}
	ok := lines.size() <= in.p.limits.TraceState && len(lines.more) < maxLines
	if ok {
		in.state.tracestate, ok = parseTracestate(&lines)
	}
	if !ok {
		in.p.counts.count(traceStateDropped)
	}
}

func (o *outgoing) writeW3C(text []byte, r *remote) []byte {
	return o.addBytes(traceparent, appendTraceparent(text, r))
}

// parseTraceparent reads https://www.w3.org/TR/trace-context-2/#traceparent-header.
func parseTraceparent(s string) (r remote, ok bool) {
	s = trimSpace(s)
	if len(s) < lenTraceparent || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return remote{}, false
	}
	version, ok := parseHex(s[:2], &lowerHex)
	if !ok || version == 0xff || len(s) > lenTraceparent && (version == 0 || s[55] != '-') {
		return remote{}, false
	}
	if r.trace, ok = parseTraceID(s[3:35], &lowerHex); !ok {
		return remote{}, false
	}
	if r.span, ok = parseSpanID(s[36:52], &lowerHex); !ok {
		return remote{}, false
	}
	flags, ok := parseHex(s[53:55], &lowerHex)
	if !ok {
		return remote{}, false
	}
	r.sampling = decided(flags&flagSampled != 0)
	r.random = flags&flagRandom != 0
	return r, true
}

// parseTracestate joins the lines of a tracestate, without blanks, empty members, and members whose key an earlier one
// has, which others would refuse. The caller has checked the size against [Limits]. It is all or nothing otherwise, as
// https://www.w3.org/TR/trace-context-2/#tracestate-header has it. It allocates only if the result is no line as it
// came.
func parseTracestate(lines *values) (state string, ok bool) {
	var found tracestateMembers
	clean := len(lines.more) == 0
	for line := range lines.each {
		lineClean, ok := found.add(line)
		if !ok {
			return "", false
		}
		clean = clean && lineClean
	}
	if clean {
		return lines.first, true
	}
	return strings.Join(found.list[:found.n], ","), true
}

// tracestateMembers are the members of a tracestate, each key once.
type tracestateMembers struct {
	list [maxTracestateMembers]string
	n    int
}

// add adds the members of line. A clean line is fit to be sent as it is.
func (m *tracestateMembers) add(line string) (clean, ok bool) {
	clean = true
	for rest, more := line, true; more; {
		var member string
		member, rest, more = strings.Cut(rest, ",")
		trimmed := trimSpace(member)
		if clean = clean && trimmed != "" && len(trimmed) == len(member); trimmed == "" {
			continue
		}
		key, value, hasValue := strings.Cut(trimmed, "=")
		switch {
		case !hasValue || !validTracestateKey(key) || !validTracestateValue(value):
			return false, false
		case m.has(key):
			clean = false
		case m.n == len(m.list):
			return false, false
		default:
			m.list[m.n] = trimmed
			m.n++
		}
	}
	return clean, true
}

func (m *tracestateMembers) has(key string) bool {
	for _, member := range m.list[:m.n] {
		if len(member) > len(key) && member[len(key)] == '=' && member[:len(key)] == key {
			return true
		}
	}
	return false
}

// validTracestateKey allows an '@' anywhere but in front.
func validTracestateKey(s string) bool {
	if len(s) == 0 || len(s) > maxTracestateKey {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '_' || c == '-' || c == '*' || c == '/' || c == '@'):
		default:
			return false
		}
	}
	return true
}

func validTracestateValue(s string) bool {
	if len(s) == 0 || len(s) > maxTracestateValue {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == ',' || c == '=' {
			return false
		}
	}
	return true
}

// trimSpace cuts HTTP's optional white space: blanks and tabs.
func trimSpace(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

func appendTraceparent(b []byte, r *remote) []byte {
	b = append(b, "00-"...)
	b = appendTraceID(b, r.trace)
	b = append(b, '-')
	b = appendHex(b, uint64(r.span))
	flags := byte('0')
	if r.sampling == sampled {
		flags |= flagSampled
	}
	if r.random {
		flags |= flagRandom
	}
	return append(b, '-', '0', flags)
}

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

// parseTracestate joins the lines of a tracestate, without blanks and empty members. It is all or nothing, as
// https://www.w3.org/TR/trace-context-2/#tracestate-header has it. It allocates only if the result is no line as it
// came.
func parseTracestate(lines *values) (state string, ok bool) {
	members, clean, ok := checkTracestate(lines.first, 0)
	for _, line := range lines.more {
		if ok {
			members, _, ok = checkTracestate(line, members)
		}
	}
	switch {
	case !ok:
		return "", false
	case clean && len(lines.more) == 0:
		return lines.first, true
	}
	return joinTracestate(lines), true
}

// checkTracestate adds the members of line to those before. A clean line is fit to be sent as it is.
func checkTracestate(line string, before int) (members int, clean, ok bool) {
	members, clean = before, true
	for rest, more := line, line != ""; more; {
		var member string
		member, rest, more = strings.Cut(rest, ",")
		trimmed := trimSpace(member)
		clean = clean && trimmed != "" && len(trimmed) == len(member)
		if trimmed == "" {
			continue
		}
		if members++; members > maxTracestateMembers || !validTracestateMember(trimmed) {
			return members, false, false
		}
	}
	return members, clean, true
}

func joinTracestate(lines *values) string {
	var b strings.Builder
	b.Grow(lines.size())
	for line := range lines.each {
		for rest, more := line, true; more; {
			var member string
			member, rest, more = strings.Cut(rest, ",")
			if member = trimSpace(member); member == "" {
				continue
			}
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.WriteString(member)
		}
	}
	return b.String()
}

func validTracestateMember(s string) bool {
	key, value, ok := strings.Cut(s, "=")
	return ok && validTracestateKey(key) && validTracestateValue(value)
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

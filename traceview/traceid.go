package traceview

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// parseTraceID reads a trace id in any form that people paste: 1 to 32 hex digits, a UUID, the value of traceparent,
// uber-trace-id or b3, with or without the header's name or quotes.
func parseTraceID(s string) (model.TraceID, bool) {
	if u, err := url.PathUnescape(s); err == nil {
		s = u
	}
	s = strings.ToLower(strings.Trim(s, " \t\r\n\"'`,;"))
	for _, name := range []string{
		"traceparent", "uber-trace-id", "b3", "x-b3-traceid", "trace_id", "traceid", "trace-id",
	} {
		if rest, ok := strings.CutPrefix(s, name); ok && rest != "" && strings.ContainsRune(":= \"", rune(rest[0])) {
			s = strings.Trim(rest, ":= \t\"'")
			break
		}
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == '-' })
	switch {
	case len(parts) == 0:
		return model.TraceID{}, false
	case len(parts) == 5 && len(s) == 36 && strings.Count(s, "-") == 4:
		s = strings.Join(parts, "")
	case len(parts) >= 3 && len(parts[0]) == 2 && len(parts[1]) == 32:
		s = parts[1]
	default:
		s = parts[0]
	}
	s = strings.TrimPrefix(s, "0x")
	var id model.TraceID
	var err error
	if len(s) > 16 {
		if id.High, err = parseHex(s[:len(s)-16]); err != nil {
			return id, false
		}
		s = s[len(s)-16:]
	}
	id.Low, err = parseHex(s)
	return id, err == nil && id != model.TraceID{}
}

func parseHex(s string) (uint64, error) {
	if strings.ContainsAny(s, "+_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(s, 16, 64)
}

func traceHex(id model.TraceID) string { return id.Hex() }

func spanHex(id uint64) string { return model.SpanHex(id) }

// jaegerHex writes a trace id as Jaeger does: 16 digits if they suffice.
func jaegerHex(id model.TraceID) string {
	if id.High == 0 {
		return spanHex(id.Low)
	}
	return traceHex(id)
}

package carrier

import "strings"

// field is one of the keys this package manages.
type field uint8

const (
	traceparent field = iota
	tracestate
	baggage
	uberTraceID
	jaegerDebugID
	jaegerBaggage
	b3
	b3TraceID
	b3SpanID
	b3ParentSpanID
	b3Sampled
	b3Flags
	fixedFields                 // the fields above have one name each
	uberctx       = fixedFields // every key that starts with uberctx-
	unmanaged     = fixedFields + 1
	uberctxPrefix = "uberctx-"
	uberctxHeader = "Uberctx-"
	multiB3Fields = fieldSet(1<<b3TraceID | 1<<b3SpanID | 1<<b3ParentSpanID | 1<<b3Sampled | 1<<b3Flags)
	w3cFields     = fieldSet(1<<traceparent | 1<<tracestate)
	jaegerFields  = fieldSet(1<<uberTraceID | 1<<jaegerDebugID)
	jaegerItems   = fieldSet(1<<jaegerBaggage | 1<<uberctx)
)

// keyNames are the field names in one carrier's spelling.
type keyNames [fixedFields]string

var (
	lowerNames = keyNames{
		"traceparent", "tracestate", "baggage", "uber-trace-id", "jaeger-debug-id", "jaeger-baggage", "b3",
		"x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
	}
	headerNames = keyNames{
		"Traceparent", "Tracestate", "Baggage", "Uber-Trace-Id", "Jaeger-Debug-Id", "Jaeger-Baggage", "B3",
		"X-B3-Traceid", "X-B3-Spanid", "X-B3-Parentspanid", "X-B3-Sampled", "X-B3-Flags",
	}
)

type fieldSet uint16

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// fieldOf tells which field key names, in any letter case. It does not allocate: it looks at the length first.
func fieldOf(key string) field {
	candidate, other := unmanaged, unmanaged
	switch len(key) {
	case 2:
		candidate = b3
	case 7:
		candidate = baggage
	case 10:
		candidate, other = tracestate, b3Flags
	case 11:
		candidate, other = traceparent, b3SpanID
	case 12:
		candidate, other = b3TraceID, b3Sampled
	case 13:
		candidate = uberTraceID
	case 14:
		candidate = jaegerBaggage
	case 15:
		candidate = jaegerDebugID
	case 17:
		candidate = b3ParentSpanID
	}
	if candidate != unmanaged && sameKey(key, candidate) {
		return candidate
	}
	if other != unmanaged && sameKey(key, other) {
		return other
	}
	if len(key) > len(uberctxPrefix) && key[0]|0x20 == 'u' && strings.EqualFold(key[:len(uberctxPrefix)], uberctxPrefix) {
		return uberctx
	}
	return unmanaged
}

func sameKey(key string, f field) bool {
	name := lowerNames[f]
	return key[0]|0x20 == name[0] && strings.EqualFold(key, name)
}

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
	fixedFields               // the fields above have one name each
	uberctx     = fixedFields // every key that starts with uberctx-
	unmanaged   = fixedFields + 1
)

const uberctxPrefix = "uberctx-"

const (
	w3cFields     = fieldSet(1<<traceparent | 1<<tracestate)
	jaegerFields  = fieldSet(1<<uberTraceID | 1<<jaegerDebugID)
	jaegerItems   = fieldSet(1<<jaegerBaggage | 1<<uberctx)
	multiB3Fields = fieldSet(1<<b3TraceID | 1<<b3SpanID | 1<<b3ParentSpanID | 1<<b3Sampled | 1<<b3Flags)
)

// leads are the fields without which a format's others mean nothing.
var leads = [formats]field{traceparent, uberTraceID, b3, b3TraceID}

// leadFields are the leads of the formats, and what can come alone.
const leadFields = fieldSet(1<<traceparent | 1<<uberTraceID | 1<<b3 | 1<<b3TraceID | 1<<baggage | 1<<jaegerBaggage)

// listFields may have several values.
const listFields = fieldSet(1<<tracestate | 1<<baggage | 1<<jaegerBaggage)

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

// mayBeManaged tells most other keys apart by their first byte, cheaply enough for a walk over all keys.
func mayBeManaged(key string) bool {
	const first = 1<<('t'&31) | 1<<('b'&31) | 1<<('j'&31) | 1<<('x'&31) | 1<<('u'&31)
	return len(key) >= len("b3") && uint32(first)>>(key[0]&31)&1 != 0
}

// fieldOf tells which field key names, in any letter case.
func fieldOf(key string) field {
	if !mayBeManaged(key) {
		return unmanaged
	}
	switch key[0] | 0x20 {
	case 't':
		return oneOf(key, traceparent, tracestate)
	case 'b':
		return oneOf(key, baggage, b3)
	case 'j':
		return oneOf(key, jaegerDebugID, jaegerBaggage)
	case 'x':
		if key[1] == '-' && key[2%len(key)]|0x20 == 'b' {
			return oneOf(key, b3TraceID, b3SpanID, b3ParentSpanID, b3Sampled, b3Flags)
		}
	case 'u':
		if mayBePrefixed(key) && isPrefixed(key) {
			return uberctx
		}
		return oneOf(key, uberTraceID)
	}
	return unmanaged
}

func oneOf(key string, candidates ...field) field {
	for _, f := range candidates {
		if name := lowerNames[f]; len(key) == len(name) && strings.EqualFold(key, name) {
			return f
		}
	}
	return unmanaged
}

// mayBePrefixed tells most other keys from those that isPrefixed, as cheaply as mayBeManaged.
func mayBePrefixed(key string) bool {
	return len(key) > len(uberctxPrefix) && key[0]|0x20 == 'u' && key[4]|0x20 == 'c'
}

// isPrefixed reports whether key, of which mayBePrefixed is true, starts with uberctx-.
func isPrefixed(key string) bool { return strings.EqualFold(key[:len(uberctxPrefix)], uberctxPrefix) }

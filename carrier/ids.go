package carrier

import (
	"encoding/binary"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// TraceID returns the trace id of sc as 32 lower-case hex digits, or "" if sc has none. It knows jaeger-client-go's
// contexts and those of other tracers that have a method TraceID returning a uint64 or a string of hex digits.
func TraceID(sc opentracing.SpanContext) string {
	switch sc := sc.(type) {
	case jaeger.SpanContext:
		return formatTraceID(sc.TraceID())
	case *jaeger.SpanContext:
		if sc != nil {
			return formatTraceID(sc.TraceID())
		}
	case interface{ TraceID() uint64 }:
		return formatTraceID(jaeger.TraceID{Low: sc.TraceID()})
	case interface{ TraceID() string }:
		id, _ := parseTraceID(sc.TraceID(), &anyHex)
		return formatTraceID(id)
	}
	return ""
}

// SpanID returns the span id of sc as 16 lower-case hex digits, or "" if sc has none; see TraceID.
func SpanID(sc opentracing.SpanContext) string {
	switch sc := sc.(type) {
	case jaeger.SpanContext:
		return formatSpanID(uint64(sc.SpanID()))
	case *jaeger.SpanContext:
		if sc != nil {
			return formatSpanID(uint64(sc.SpanID()))
		}
	case interface{ SpanID() uint64 }:
		return formatSpanID(sc.SpanID())
	case interface{ SpanID() string }:
		id, _ := parseSpanID(sc.SpanID(), &anyHex)
		return formatSpanID(uint64(id))
	}
	return ""
}

func formatTraceID(id jaeger.TraceID) string {
	if !id.IsValid() {
		return ""
	}
	var buf [32]byte
	return string(appendTraceID(buf[:0], id))
}

func formatSpanID(id uint64) string {
	if id == 0 {
		return ""
	}
	var buf [16]byte
	return string(appendHex(buf[:0], id))
}

const lowerDigits = "0123456789abcdef"

// appendHex appends v as 16 hex digits.
func appendHex(b []byte, v uint64) []byte {
	b = binary.BigEndian.AppendUint64(b, hexDigits(uint32(v>>32)))
	return binary.BigEndian.AppendUint64(b, hexDigits(uint32(v)))
}

// hexDigits returns the 8 hex digits of v, the first one in the highest byte. It works on all of them at once.
func hexDigits(v uint32) uint64 {
	const each = 0x0101010101010101
	x := uint64(v)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x<<4 | x) & 0x0f0f0f0f0f0f0f0f // a digit in each byte
	letters := (x + 6*each) >> 4 & each // 1 where it is a to f
	return x + '0'*each + letters*('a'-'0'-10)
}

// appendTraceID appends id as 32 hex digits.
func appendTraceID(b []byte, id jaeger.TraceID) []byte {
	return appendHex(appendHex(b, id.High), id.Low)
}

// appendShortTraceID appends id as 16 hex digits if that is enough, else as 32: what old 64-bit peers can read.
func appendShortTraceID(b []byte, id jaeger.TraceID) []byte {
	if id.High == 0 {
		return appendHex(b, id.Low)
	}
	return appendTraceID(b, id)
}

// hexTable maps a byte to the value of the hex digit it is, or to 0xff.
type hexTable [256]byte

var lowerHex, anyHex = makeHex(lowerDigits), makeHex(lowerDigits + "ABCDEF")

func makeHex(digits string) (t hexTable) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(digits) {
		v := i
		if v > 15 {
			v -= 6
		}
		t[digits[i]] = byte(v)
	}
	return t
}

// parseHex reads s, 1 to 16 hex digits.
func parseHex(s string, digits *hexTable) (v uint64, ok bool) {
	if len(s) == 16 {
		high, ok1 := parseHex8(s[:8], digits == &anyHex)
		low, ok2 := parseHex8(s[8:], digits == &anyHex)
		return high<<32 | low, ok1 && ok2
	}
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	for i := range len(s) {
		d := digits[s[i]]
		if d > 15 {
			return 0, false
		}
		v = v<<4 | uint64(d)
	}
	return v, true
}

// parseHex8 reads s, 8 hex digits, of which the letters may be upper-case ones if anyCase. It works on all of them at
// once, as hexDigits does: each byte of the numbers below belongs to one digit.
func parseHex8(s string, anyCase bool) (v uint64, ok bool) {
	const each, nibbles = 0x0101010101010101, 0x0f0f0f0f0f0f0f0f
	x := binary.BigEndian.Uint64([]byte(s))
	letters := x >> 6 & each // 1 where it is none of the digits 0 to 9
	if anyCase {
		x |= letters << 5 // to lower case
	}
	low := x & nibbles                                       // 0 to 9, and for letters 1 to 6
	wrongHigh := x>>4&nibbles ^ (3*each + 3*letters)         // '0' is 0x30, 'a' is 0x61
	tooLarge := (low + 6*each + 3*letters) & (0x10 * each)   // 10 or more, for letters 7 or more
	tooSmall := ^(low | 0x10*each - letters) & (0x10 * each) // 0, for letters
	v = low + 9*letters
	v = (v | v>>4) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	v = (v | v>>16) & 0xffffffff
	return v, wrongHigh|tooLarge|tooSmall == 0
}

// parseTraceID reads s, 1 to 32 hex digits that are not all zero.
func parseTraceID(s string, digits *hexTable) (id jaeger.TraceID, ok bool) {
	if len(s) > 16 {
		if id.High, ok = parseHex(s[:len(s)-16], digits); !ok {
			return jaeger.TraceID{}, false
		}
		s = s[len(s)-16:]
	}
	if id.Low, ok = parseHex(s, digits); !ok {
		return jaeger.TraceID{}, false
	}
	return id, id.IsValid()
}

// parseSpanID reads s, 1 to 16 hex digits that are not all zero.
func parseSpanID(s string, digits *hexTable) (jaeger.SpanID, bool) {
	v, ok := parseHex(s, digits)
	return jaeger.SpanID(v), ok && v != 0
}

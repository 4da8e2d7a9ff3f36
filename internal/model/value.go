package model

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ValueOf converts a value given to SetTag or LogFields. Values of unknown types are written as [Sprint] writes them; a
// String or Error method that panics yields "<panic>". A string or bytes over maxBytes, if positive, are
// shortened.
func ValueOf(v any, maxBytes int) Value {
	value, _ := Convert(v, maxBytes)
	return value
}

// Convert is [ValueOf], and reports whether the value was shortened.
func Convert(v any, maxBytes int) (value Value, cut bool) {
	if cut, ok := value.SetSimple(v, maxBytes); ok {
		return value, cut
	}
	switch v := v.(type) {
	case error:
		value = String(guarded(v, error.Error))
	case fmt.Stringer:
		value = String(guarded(v, fmt.Stringer.String))
	default:
		var ok bool
		if value, cut, ok = basicValue(reflect.ValueOf(v), maxBytes); ok {
			return value, cut
		}
		value = String(guarded(v, Sprint))
	}
	return value.Truncate(maxBytes)
}

// SetSimple makes *v what [Convert] returns for x, if that takes no method of x but those of package time. Otherwise it
// is not ok.
func (v *Value) SetSimple(x any, maxBytes int) (cut, ok bool) {
	switch x := x.(type) {
	case nil:
		*v = String("<nil>")
		return false, true
	case string:
		*v = String(x)
	case bool:
		*v = Bool(x)
	case int:
		*v = Int(int64(x))
	case int64:
		*v = Int(x)
	case uint16:
		*v = Int(int64(x))
	case float64:
		*v = Float(x)
	case []byte:
		*v, cut = bytesValue(x, maxBytes)
	case Value:
		*v = x
	case EventName:
		*v = String(string(x)).Literal()
		return false, true
	case time.Duration:
		*v = String(x.String())
	case time.Time:
		*v = String(x.String())
	case error, fmt.Stringer, fmt.Formatter:
		return false, false
	default:
		if *v, cut, ok = basicValue(reflect.ValueOf(x), maxBytes); ok {
			return cut, true
		}
		text, ok := sprintData(x)
		if !ok {
			return false, false
		}
		*v = String(text)
	}
	if maxBytes > 0 && (len(v.str) > maxBytes || v.rich != nil) {
		*v, cut = v.Truncate(maxBytes)
	}
	return cut, true
}

// basicValue converts what is a number, a string or bytes underneath.
func basicValue(r reflect.Value, maxBytes int) (value Value, cut, ok bool) {
	switch r.Kind() {
	case reflect.String:
		value, cut = String(r.String()).Truncate(maxBytes)
		return value, cut, true
	case reflect.Bool:
		return Bool(r.Bool()), false, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(r.Int()), false, true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		u := r.Uint()
		if u > math.MaxInt64 {
			return String(strconv.FormatUint(u, 10)), false, true
		}
		return Int(int64(u)), false, true
	case reflect.Float32, reflect.Float64:
		return Float(r.Float()), false, true
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			value, cut = bytesValue(r.Bytes(), maxBytes)
			return value, cut, true
		}
	}
	return Value{}, false, false
}

func bytesValue(b []byte, maxBytes int) (value Value, cut bool) {
	if maxBytes > 0 && len(b) > maxBytes {
		b, cut = b[:maxBytes], true
	}
	return Bytes(b), cut
}

func guarded[T any](v T, text func(T) string) (s string) {
	defer func() {
		if recover() == nil {
			return
		}
		s = "<panic>"
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			s = "<nil>"
		}
	}()
	return text(v)
}

// Cut shortens s to at most maxBytes bytes (no limit if not positive), at a rune boundary and ending in "…".
func Cut(s string, maxBytes int) string {
	const mark = "…"
	if maxBytes <= 0 || len(s) <= maxBytes {
		return s
	}
	end := max(maxBytes-len(mark), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if maxBytes < len(mark) {
		return s[:end]
	}
	return s[:end] + mark
}

// Text returns s with every run of bytes that is no UTF-8 replaced by U+FFFD, as wire formats demand.
func Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

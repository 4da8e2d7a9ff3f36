package model

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ValueOf turns a value given to SetTag or LogFields into a Value. Unknown types are written as fmt.Sprint writes
// them; a String or Error method that panics yields "<panic>". A string over maxBytes (if positive) is cut.
func ValueOf(v any, maxBytes int) Value {
	if value, ok := simpleValue(v, maxBytes); ok {
		return value
	}
	switch v := v.(type) {
	case error:
		return String(Cut(guarded(v, error.Error), maxBytes))
	case fmt.Stringer:
		return String(Cut(guarded(v, fmt.Stringer.String), maxBytes))
	}
	if value, ok := basicValue(reflect.ValueOf(v), maxBytes); ok {
		return value
	}
	return String(Cut(guarded(v, func(v any) string { return fmt.Sprint(v) }), maxBytes))
}

// simpleValue is ValueOf for what has no methods that it might have to call.
func simpleValue(v any, maxBytes int) (Value, bool) {
	switch v := v.(type) {
	case string:
		return String(Cut(v, maxBytes)), true
	case bool:
		return Bool(v), true
	case int:
		return Int(int64(v)), true
	case int64:
		return Int(v), true
	case uint16:
		return Int(int64(v)), true
	case float64:
		return Float(v), true
	case []byte:
		return bytesValue(v, maxBytes), true
	}
	r := reflect.ValueOf(v)
	if !r.IsValid() || r.Type().NumMethod() > 0 {
		return Value{}, false
	}
	return basicValue(r, maxBytes)
}

// basicValue is ValueOf for what is a number, a string or bytes underneath.
func basicValue(r reflect.Value, maxBytes int) (Value, bool) {
	switch r.Kind() {
	case reflect.String:
		return String(Cut(r.String(), maxBytes)), true
	case reflect.Bool:
		return Bool(r.Bool()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(r.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		u := r.Uint()
		if u > math.MaxInt64 {
			return String(strconv.FormatUint(u, 10)), true
		}
		return Int(int64(u)), true
	case reflect.Float32, reflect.Float64:
		return Float(r.Float()), true
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return bytesValue(r.Bytes(), maxBytes), true
		}
	}
	return Value{}, false
}

func bytesValue(b []byte, maxBytes int) Value {
	if maxBytes > 0 && len(b) > maxBytes {
		b = b[:maxBytes]
	}
	return Bytes(b)
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

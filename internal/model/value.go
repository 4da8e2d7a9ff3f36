package model

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ValueOf turns a value given to SetTag or LogFields into a Value. Unknown types are written as fmt.Sprint writes
// them; a String or Error method that panics yields "<panic>". A string over maxBytes (if positive) is cut.
func ValueOf(v any, maxBytes int) Value {
	switch v := v.(type) {
	case string:
		return String(Cut(v, maxBytes))
	case bool:
		return Bool(v)
	case int:
		return Int(int64(v))
	case int64:
		return Int(v)
	case uint16:
		return Int(int64(v))
	case float64:
		return Float(v)
	case []byte:
		if maxBytes > 0 && len(v) > maxBytes {
			v = v[:maxBytes]
		}
		return Bytes(v)
	case time.Duration:
		return String(v.String())
	case error:
		return String(Cut(guarded(v, error.Error), maxBytes))
	case fmt.Stringer:
		return String(Cut(guarded(v, fmt.Stringer.String), maxBytes))
	}
	return reflected(v, maxBytes)
}

func reflected(v any, maxBytes int) Value {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return String(Cut(r.String(), maxBytes))
	case reflect.Bool:
		return Bool(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if u := r.Uint(); u > 1<<63-1 {
			return String(strconv.FormatUint(u, 10))
		}
		return Int(int64(r.Uint()))
	case reflect.Float32, reflect.Float64:
		return Float(r.Float())
	case reflect.Slice:
		if r.Type().Elem().Kind() == reflect.Uint8 {
			return ValueOf(r.Bytes(), maxBytes)
		}
	}
	return String(Cut(guarded(v, func(v any) string { return fmt.Sprint(v) }), maxBytes))
}

func guarded[T any](v T, text func(T) string) (s string) {
	defer func() {
		if recover() != nil {
			s = "<panic>"
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

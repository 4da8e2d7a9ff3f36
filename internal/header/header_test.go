package header_test

import (
	"fmt"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/internal/header"
)

// TestNamesAndValuesAreThoseOfHTTP compares every byte, alone and between others, with what net/http itself uses.
func TestNamesAndValuesAreThoseOfHTTP(t *testing.T) {
	texts := []string{"", "x-b3-traceid", "a value", " ", "ü", "x\ty", "\xff\xfe"}
	for c := range 256 {
		texts = append(texts, string([]byte{byte(c)}), string([]byte{'a', byte(c), 'z'}))
	}
	for _, s := range texts {
		t.Run(fmt.Sprintf("%q", s), func(t *testing.T) {
			if got, want := header.IsName(s), httpguts.ValidHeaderFieldName(s); got != want {
				t.Errorf("a name: %v, want %v", got, want)
			}
			if got, want := header.IsValue(s), httpguts.ValidHeaderFieldValue(s); got != want {
				t.Errorf("a value: %v, want %v", got, want)
			}
		})
	}
}

// TestKeysAreThoseOfMetadata has the rules of
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests.
func TestKeysAreThoseOfMetadata(t *testing.T) {
	for _, tt := range []struct {
		key, value string
		is, sends  bool
	}{
		{"traceparent", "00-1-2-01", true, true},
		{"X-Tenant_1.a", "acme", true, true},
		{"", "x", false, true},
		{"a b", "x", false, true},
		{"a+b", "x", false, true},
		{"zürich", "x", false, true},
		{"city", "Zürich", true, false},
		{"city", "a\tb", true, false},
		{"city", "\x7f", true, false},
		{"grpc-trace-bin", "\x00\xff", true, true},
		{"Grpc-Trace-BIN", "\x00\xff", true, true},
		{"-bin", "\x00", true, true},
		{"bin", "\x00", true, false},
	} {
		t.Run(fmt.Sprintf("%q=%q", tt.key, tt.value), func(t *testing.T) {
			if is, sends := header.IsKey(tt.key), header.IsKeyValue(tt.key, tt.value); is != tt.is || sends != tt.sends {
				t.Errorf("a key: %v, want %v; a value of it: %v, want %v", is, tt.is, sends, tt.sends)
			}
		})
	}
}

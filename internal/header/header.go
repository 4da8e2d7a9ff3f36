// Package header has the rules of what HTTP can send as a header and gRPC as metadata.
package header

import "strings"

// IsName reports whether HTTP can send a header of this name: whether it is a token of
// https://www.rfc-editor.org/rfc/rfc9110#name-tokens.
func IsName(name string) bool {
	for i := range len(name) {
		if !isKeyByte(name[i]) && strings.IndexByte("!#$%&'*+^`|~", name[i]) < 0 {
			return false
		}
	}
	return name != ""
}

// IsValue reports whether HTTP can send this value: whether it has no control characters but tabs.
func IsValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// IsKey reports whether gRPC can send metadata under this key, in lower case.
func IsKey(key string) bool {
	for i := range len(key) {
		if !isKeyByte(key[i]) {
			return false
		}
	}
	return key != ""
}

func isKeyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
}

// IsKeyValue reports whether gRPC can send this value under key.
func IsKeyValue(key, value string) bool { return IsBinary(key) || IsPrintable(value) }

// IsBinary reports whether gRPC takes the values of key for bytes. The case of its letters does not matter.
func IsBinary(key string) bool {
	const suffix = "-bin"
	return len(key) >= len(suffix) && strings.EqualFold(key[len(key)-len(suffix):], suffix)
}

// IsPrintable reports whether s consists of printable ASCII.
func IsPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

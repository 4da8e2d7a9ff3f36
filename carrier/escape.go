package carrier

import (
	"strings"
	"unicode/utf8"

	"github.com/spanloom/spanloom/internal/header"
)

const upperDigits = "0123456789ABCDEF"

// isBaggageByte has the bytes that the grammar of https://www.w3.org/TR/baggage/#value admits in a value.
var isBaggageByte = func() (t [256]bool) {
	for c := '!'; c <= '~'; c++ {
		t[c] = c != '"' && c != ',' && c != ';' && c != '\\'
	}
	return t
}()

func isBaggageValue(s string) bool {
	for i := range len(s) {
		if !isBaggageByte[s[i]] {
			return false
		}
	}
	return true
}

// needsEscape reports whether c cannot stand for itself in a header's value: besides what the grammar excludes,
// '%', and '+', which readers of uberctx-* and some of baggage take for a blank.
func needsEscape(c byte) bool { return !isBaggageByte[c] || c == '%' || c == '+' }

// escapedLen is the length of escape's result.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if needsEscape(s[i]) {
			n += 2
		}
	}
	return n
}

// escape encodes s, which is valid UTF-8, with percent signs, so that it is n bytes long.
func escape(s string, n int) string {
	if n == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(n)
	for i := range len(s) {
		if c := s[i]; !needsEscape(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(upperDigits[c>>4])
			b.WriteByte(upperDigits[c&15])
		}
	}
	return b.String()
}

// isPlainHeader reports whether s reaches the other side as it is in a header of HTTP and gRPC, without any escape.
func isPlainHeader(s string) bool { return header.IsPrintable(s) && trimSpace(s) == s }

// validUTF8 returns s with U+FFFD for each byte that is not UTF-8, as https://www.w3.org/TR/baggage/#value has it, or
// for each run of such bytes if the result would be longer than baggage can be.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	size := 0
	for _, r := range s {
		size += utf8.RuneLen(r)
	}
	if size > maxBaggageBytes {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	var b strings.Builder
	b.Grow(size)
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

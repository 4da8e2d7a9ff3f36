package carrier

import "strings"

const upperDigits = "0123456789ABCDEF"

// plainInBaggage are the bytes that need no escape in a value: those of a baggage header, but for '+', which readers of
// uberctx-* and some of baggage take for a blank.
var plainInBaggage = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&=:@") {
		t[c] = true
	}
	return t
}()

// escapedLen is the length of escape's result.
func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if !plainInBaggage[s[i]] {
			n += 2
		}
	}
	return n
}

// escape encodes s with percent signs, so that it is n bytes long.
func escape(s string, n int) string {
	if n == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(n)
	for i := range len(s) {
		if c := s[i]; plainInBaggage[c] {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(upperDigits[c>>4])
			b.WriteByte(upperDigits[c&15])
		}
	}
	return b.String()
}

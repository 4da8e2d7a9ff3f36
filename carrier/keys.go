package carrier

import "strings"

// keyBuffer turns keys to lower case, usually all of them in one allocation.
type keyBuffer struct{ b strings.Builder }

const typicalKey = 16

// fold returns key in lower case; count is how many there may be.
func (l *keyBuffer) fold(key string, count int) string {
	if strings.IndexFunc(key, func(r rune) bool { return r >= 'A' && r <= 'Z' }) < 0 {
		return key
	}
	if l.b.Cap()-l.b.Len() < len(key) {
		l.b.Reset() // the strings it has returned stay
		l.b.Grow(max(len(key), min(count, maxBaggageItems)*typicalKey))
	}
	start := l.b.Len()
	for i := range len(key) {
		c := key[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		l.b.WriteByte(c)
	}
	return l.b.String()[start:]
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

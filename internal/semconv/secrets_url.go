package semconv

import "strings"

// MaskQuery returns a query, a fragment or an encoded form with [Redacted] for the values of secret parameters, also
// those of URLs that are values themselves, encoded or not. It returns "" if more than maxBytes bytes would be left.
// Without secrets it returns query itself and does not allocate.
func MaskQuery(query string, maxBytes int) string {
	return (&masker{text: query, ends: "&;", maxBytes: maxBytes}).run()
}

// MaskPath does the same for an escaped path, where parameters stand behind a semicolon: /users;token=abc/7.
func MaskPath(path string, maxBytes int) string {
	return (&masker{text: path, ends: "/;?#", maxBytes: maxBytes}).run()
}

// masker replaces the secrets of a text in one pass. It never looks at a byte more often than a fixed number of times.
type masker struct {
	text     string
	ends     string // bytes that end the value of a parameter; empty in prose, which has rules of its own
	maxBytes int    // of the result; 0 is unlimited

	i      int    // the byte that is looked at
	urlEnd int    // where the last URL that was found ends
	kept   int    // text[:kept] is in out, masked
	out    []byte // nil as long as there was nothing to mask
}

func (m *masker) prose() bool { return m.ends == "" }

func (m *masker) run() string {
	for ; m.i < len(m.text); m.i++ {
		if m.maxBytes > 0 && len(m.out)+m.i-m.kept > m.maxBytes {
			return ""
		}
		switch m.text[m.i] {
		case '=':
			m.parameter()
		case '%':
			m.escape()
		case ':':
			if strings.HasPrefix(m.text[m.i:], "://") {
				m.authority()
			} else if m.prose() {
				m.member()
			} else {
				m.quotedMember(1)
			}
		case '@', ' ', '"':
			if m.prose() {
				m.word()
			}
		case '>':
			if m.prose() {
				m.element()
			}
		case 'e', 'g', 'x', 's', 'h', 'r', 'w', 'n', 'A', 'y', 'S', '-', 'b', 'd':
			m.shape()
		}
	}
	if m.maxBytes > 0 && len(m.out)+len(m.text)-m.kept > m.maxBytes {
		return ""
	}
	if m.out == nil {
		return m.text
	}
	return string(append(m.out, m.text[m.kept:]...))
}

// replace puts with in the place of text[from:to], and goes on behind it.
func (m *masker) replace(from, to int, with string) {
	if from < m.kept || from >= to {
		return
	}
	m.out = append(append(m.out, m.text[m.kept:from]...), with...)
	m.kept, m.i = to, to-1
}

// parameter handles the '=' at m.i.
func (m *masker) parameter() {
	if m.prose() {
		m.assignment()
		return
	}
	if isSecretName(m.text, m.i, asParameter) {
		from := m.i + 1
		m.replace(from, from+m.valueEnd(from), Redacted)
	}
}

// valueEnd returns the length of the value of a URL's parameter that begins at from. Servers disagree on whether ';'
// separates parameters, so it ends a value only in front of another parameter.
func (m *masker) valueEnd(from int) int {
	rest := m.text[from:]
	for n := range len(rest) {
		if rest[n] == ';' && !beginsPair(rest[n+1:]) {
			continue
		}
		if strings.IndexByte(m.ends, rest[n]) >= 0 {
			return n
		}
	}
	return len(rest)
}

// maxLookahead bounds the name that is looked for behind a separator.
const maxLookahead = 32

// beginsPair reports whether s begins with a name and '=' or ':'.
func beginsPair(s string) bool {
	s = strings.TrimLeft(s[:min(len(s), maxLookahead)], " ")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=' || c == ':':
			return i > 0
		case !isNameByte(c):
			return false
		}
	}
	return false
}

func isNameByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '%'
}

// escape handles the '%' at m.i: an encoded '=', or the "://" of an encoded URL. Both may be encoded more than once.
func (m *masker) escape() {
	c, size := m.unescape(m.i)
	switch c {
	case '=':
		if isSecretName(m.text, m.i, asParameter) {
			from := m.i + size
			m.replace(from, m.encodedEnd(from, size, "&;#"), Redacted)
		}
	case ':':
		slash, n := m.unescape(m.i + size)
		second, k := m.unescape(m.i + size + n)
		if slash == '/' && second == '/' && n == size && k == size {
			m.encodedAuthority(m.i+3*size, size)
		} else {
			m.quotedMember(size)
		}
	}
}

// unescape returns the byte that is encoded at i, once ("%3D") or more often ("%253D"), and the length of its code.
func (m *masker) unescape(i int) (c byte, size int) {
	n := i + 1
	for n <= len(m.text) && strings.HasPrefix(m.text[n:], "25") && len(m.text) >= n+4 {
		n += 2
	}
	if i >= len(m.text) || m.text[i] != '%' || n+2 > len(m.text) {
		return 0, 1
	}
	high, low := unhex(m.text[n]), unhex(m.text[n+1])
	if high > 15 || low > 15 {
		return 0, 1
	}
	return high<<4 | low, n + 2 - i
}

// encodedEnd returns where a value ends that began at from: at one of the bytes in ends, encoded as often as its '=',
// or at the end of what the whole is in.
func (m *masker) encodedEnd(from, size int, ends string) int {
	for i := from; i < len(m.text); i++ {
		switch c := m.text[i]; {
		case c == '%':
			if c, n := m.unescape(i); n <= size && n > 1 && strings.IndexByte(ends, c) >= 0 {
				return i
			}
		case c == '&', c <= ' ', c == '"', c == '#', size == 1 && strings.IndexByte(ends, c) >= 0:
			return i
		}
	}
	return len(m.text)
}

// encodedAuthority removes the user from the encoded authority that begins at from.
func (m *masker) encodedAuthority(from, size int) {
	end := m.encodedEnd(from, size, "/?#&")
	for i := end - 1; i >= from; i-- {
		if c, n := m.unescape(i); m.text[i] == '@' || c == '@' && n == size {
			m.replace(from, i+n, "")
			return
		}
	}
}

// urlEnds are the bytes that end a URL in a text.
const urlEnds = " \t\r\n\"'<>`"

// authority removes the user from the authority of the URL whose "://" is at m.i.
func (m *masker) authority() {
	from := m.i + len("://")
	if from > m.urlEnd {
		m.urlEnd = len(m.text)
		if end := strings.IndexAny(m.text[from:], urlEnds); end >= 0 {
			m.urlEnd = from + end
		}
	}
	rest := m.text[from:m.urlEnd]
	host := rest
	if end := strings.IndexAny(rest, "/?#\\&"); end >= 0 {
		host = rest[:end]
	}
	at := strings.LastIndexByte(host, '@')
	if i := strings.LastIndex(host, "%40"); i > at { // of a user that was taken for a part of the host
		at = i + len("%40") - 1
	}
	if at < 0 && !validPort(host) { // a password with one of those bytes: what comes before the last @ belongs to it
		at = strings.LastIndexByte(rest[:min(len(rest), maxUser)], '@')
	}
	m.replace(from, from+at+1, "")
}

// maxUser bounds the part of a URL in which the end of its user is looked for.
const maxUser = 1024

// validPort reports whether there is nothing but digits behind the last colon of a host, if there is one.
func validPort(host string) bool {
	colon := strings.LastIndexByte(host, ':')
	if colon < strings.LastIndexByte(host, ']') {
		return true
	}
	return colon < 0 || strings.Trim(host[colon+1:], "0123456789") == ""
}

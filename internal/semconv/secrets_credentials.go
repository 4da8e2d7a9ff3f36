package semconv

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// word handles what stands out in prose by itself: the bytes of m.run's last case.
func (m *masker) word() {
	rest := m.text[m.i:]
	switch rest[0] {
	case '@':
		m.login()
	case ' ':
		m.credentials()
	case '"': // net/url quotes the rest of a password as a port
		if strings.HasSuffix(m.text[:m.i], "invalid port ") && len(rest) > 2 && strings.IndexByte("0123456789", rest[2]) < 0 {
			m.replace(m.i+1, m.quoteEnd(m.i+1, '"', 0), Redacted)
		}
	}
}

// login handles the '@' of user:password@host without a scheme, as drivers of databases write it.
func (m *masker) login() {
	begin := m.i
	colon := -1
	for begin > m.kept && strings.IndexByte(" \t\r\n\"'`<>/=,@(", m.text[begin-1]) < 0 {
		begin--
		if m.text[begin] == ':' {
			colon = begin
		}
	}
	if colon <= begin || colon+1 == m.i || m.text[begin:colon] == "mailto" {
		return
	}
	end := m.i
	for i := m.i + 1; i < len(m.text) && strings.IndexByte(" \t\r\n\"'`<>/(", m.text[i]) < 0; i++ {
		if m.text[i] == '@' {
			end = i
		}
	}
	m.replace(colon+1, end, Redacted)
}

// credentials handles the space at m.i if it stands behind Bearer or Basic.
func (m *masker) credentials() {
	bearer := endsInWord(m.text[:m.i], "bearer")
	if !bearer && !endsInWord(m.text[:m.i], "basic") {
		return
	}
	rest := strings.TrimLeft(m.text[m.i:], " ")
	end := strings.IndexFunc(rest, isNotToken)
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	if bearer && (isState(word) || isFollower(word)) || !bearer && !isLogin(word) {
		return
	}
	from := len(m.text) - len(rest)
	m.replace(from, from+end, Redacted)
}

// isNotToken reports whether c is none of the characters of a token68, of which credentials consist.
func isNotToken(c rune) bool {
	return c >= utf8.RuneSelf || !isNameByte(byte(c)) && c != '~' && c != '+' && c != '/' && c != '='
}

// isLogin reports whether the word is an encoded user:password, and not a word behind "basic".
func isLogin(word string) bool {
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "="))
	return err == nil && bytes.IndexByte(plain, ':') >= 0
}

// endsInWord reports whether the last word of s is word, in any case.
func endsInWord(s, word string) bool {
	n := len(s) - len(word)
	return n >= 0 && strings.EqualFold(s[n:], word) && (n == 0 || !isNameByte(s[n-1]))
}

package semconv

import "strings"

// maxText bounds the text that is searched for secrets. It is more than is recorded of any.
const maxText = 8 * MaxMessage

// MaskText returns a text that was not written by the kit, such as that of an error or of a panic, with [Redacted] for
// what looks like a secret in it: users, parameters and fragments of URLs, user:password@host, the values of
// name=value, name: value, "name":"value", --name value and <name>value</name> if [IsSecret] of the name, credentials
// behind Bearer and Basic, JSON web tokens, private keys, and tokens of providers that give them a form of their own.
// Of names that are also words, such as key and code, only those in URLs count, and a sentence such as "token:
// unexpected end of input" stays. The text is cut at a few kilobytes. Without secrets it returns text itself and does
// not allocate.
func MaskText(text string) string {
	if len(text) <= maxText {
		return (&masker{text: text}).run()
	}
	text = text[:maxText]
	if url := strings.LastIndex(text, "://"); url >= 0 && !strings.ContainsAny(text[url+3:], "/?# ") {
		text = text[:url+3] // what is cut off may show that this is a password
	}
	return (&masker{text: text}).run() + "…"
}

// assignment handles the '=' at m.i: a parameter in a URL, or an assignment in prose.
func (m *masker) assignment() {
	name := m.nameEnd()
	f := foldName(m.text, name, true)
	parameter := f.whole && (f.before == '?' || f.before == '&' || f.before == '#')
	pathParameter := f.whole && f.before == ';' && m.i < m.urlEnd
	from := m.i + 1
	switch {
	case parameter || pathParameter:
		if !isSecretName(m.text, name, asParameter) {
			return
		}
		if from == len(m.text) || strings.IndexByte("\"'`\\", m.text[from]) < 0 {
			m.replace(from, m.parameterEnd(from, pathParameter), Redacted)
			return
		}
	case f.isSecret(asWord):
	case name != m.i || from == len(m.text) || m.text[from] == ' ' || !isSecretName(m.text, name, asPair):
		return
	}
	for from < len(m.text) && (m.text[from] == '=' || m.text[from] == '>') {
		from++
	}
	m.value(from)
}

// parameterEnd returns where the value of a URL's parameter that begins at from ends. An apostrophe may belong to it.
func (m *masker) parameterEnd(from int, inPath bool) int {
	ends := "&#" + urlEnds
	if inPath {
		ends = "/;?&#" + urlEnds
	}
	for at := from; ; at++ {
		i := strings.IndexAny(m.text[at:], ends)
		if i < 0 {
			return len(m.text)
		}
		at += i
		if m.text[at] != '\'' || at+1 == len(m.text) || !isAlphanumeric(m.text[at+1]) {
			return at
		}
	}
}

// nameEnd returns where the name of the '=' or ':' at m.i ends: spaces and quotes may stand between them.
func (m *masker) nameEnd() int {
	end := m.i
	for m.i-end < 4 && end > m.kept && strings.IndexByte(" \"'`\\", m.text[end-1]) >= 0 {
		end--
	}
	return end
}

// member handles the ':' at m.i: of a JSON object, a Go map, a dumped header or a sentence.
func (m *masker) member() {
	f := foldName(m.text, m.nameEnd(), true)
	if !f.isSecret(asWord) && !isSecretName(m.text, m.nameEnd(), asWord) {
		return
	}
	from := m.i + 1
	spaced := from < len(m.text) && m.text[from] == ' '
	rest := strings.TrimLeft(m.text[from:], " ")
	if spaced && isSentence(rest) {
		return
	}
	if lineHeaders.ending(f.buf[f.at:]) > 0 && rest != "" && strings.IndexByte("\"'`\\[{", rest[0]) < 0 {
		end := strings.IndexAny(rest, "\r\n")
		if end < 0 {
			end = strings.IndexAny(rest, "\"'`\\]}")
		}
		if end < 0 {
			end = len(rest)
		}
		from = len(m.text) - len(rest)
		m.replace(from, from+end, Redacted)
		return
	}
	m.value(from)
}

// value replaces the value that begins at from: what is in quotes or brackets, or a word.
func (m *masker) value(from int) {
	for n := 0; from < len(m.text) && m.text[from] == ' ' && n < 4; n++ {
		from++
	}
	open := from
	for open < len(m.text) && m.text[open] == '\\' {
		open++
	}
	if open == len(m.text) {
		return
	}
	switch quote := m.text[open]; quote {
	case '"', '\'', '`':
		m.replace(open+1, m.quoteEnd(open+1, quote, open-from), Redacted)
	case '[':
		end := strings.IndexByte(m.text[open:], ']')
		if end < 0 {
			end = len(m.text) - open
		}
		m.replace(open+1, open+end, Redacted)
	case '{', '(':
	default:
		end := m.wordEnd(from)
		if !isState(m.text[from:end]) {
			m.replace(from, end, Redacted)
		}
	}
}

// quoteEnd returns where the quoted value that begins at from ends. Its quotes have so many backslashes in front.
func (m *masker) quoteEnd(from int, quote byte, backslashes int) int {
	for i, run := from, 0; i < len(m.text); i++ {
		switch m.text[i] {
		case '\\':
			run++
			continue
		case quote:
			if run <= backslashes {
				return i - run
			}
		}
		run = 0
	}
	return len(m.text)
}

// wordEnd returns where the value without quotes that begins at from ends. Passwords may contain punctuation, so it
// ends a value only in front of a space, another pair or the end. A name that stands where a value should be keeps its
// '=' or ':', so that its own value is found, too.
func (m *masker) wordEnd(from int) int {
	end := from
	for ; end < len(m.text) && !m.endsWord(end, from); end++ {
	}
	if end == from {
		return end
	}
	if c := m.text[end-1]; c == '=' {
		if isSecretName(m.text, end-1, asParameter) {
			return end - 1
		}
	} else if c == ':' {
		return end - 1
	}
	return end
}

func (m *masker) endsWord(i, from int) bool {
	rest := m.text[i+1:]
	switch c := m.text[i]; {
	case c <= ' ', c == '&', c == '"', c == '\'', c == '`', c == '<':
		return true
	case c == '\\':
		return i > from
	case c == ':':
		return rest != "" && (rest[0] == '[' || rest[0] == '{')
	case strings.IndexByte(",;)]}", c) >= 0:
		return rest == "" || strings.IndexByte(" \r\n\t\"',;)]}:", rest[0]) >= 0 || beginsPair(rest)
	}
	return false
}

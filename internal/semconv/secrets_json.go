package semconv

// quotedMember handles the ':' at m.i, which is encoded in size bytes, of a JSON object or of a GraphQL query that is
// the value of a parameter: its name or its value is in quotes.
func (m *masker) quotedMember(size int) {
	if m.i == 0 {
		return
	}
	end, from := m.i, m.i+size
	c, begin := decodedBefore(m.text, m.i-1)
	if c == '"' {
		end = begin
	}
	for n := 0; n < 4 && from < len(m.text); n++ {
		if c, code := m.byteAt(from); c == ' ' || c == '+' {
			from += code
		}
	}
	open, code := m.byteAt(from)
	if c != '"' && open != '"' {
		return
	}
	if !isSecretName(m.text, end, asWord) {
		return
	}
	if open == '"' {
		m.replace(from+code, m.encodedEnd(from+code, code, `"`), Redacted)
	} else if open != '{' && open != '[' {
		m.replace(from, m.encodedEnd(from, size, ",}];#"), Redacted)
	}
}

// byteAt returns the byte at i, which may be encoded, and the length of its code; 0 at the end.
func (m *masker) byteAt(i int) (c byte, size int) {
	if i >= len(m.text) {
		return 0, 1
	}
	if m.text[i] != '%' {
		return m.text[i], 1
	}
	return m.unescape(i)
}

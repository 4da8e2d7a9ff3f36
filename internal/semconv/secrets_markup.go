package semconv

import "strings"

// flag handles a '-' at m.i with which a flag of a command line may begin, and its value as a word of its own behind
// it: --password hunter2, -u me:hunter2 as of curl. One with a '=' is an assignment.
func (m *masker) flag(rest string) {
	name, _, found := strings.Cut(rest[:min(len(rest), maxFolded)], " ")
	from := m.i + len(name) + 1
	switch {
	case !found || from == len(m.text):
	case name == "-u" || name == "--user" || name == "--proxy-user":
		end := m.wordEnd(from)
		if colon := strings.IndexByte(m.text[from:end], ':'); colon >= 0 {
			m.replace(from+colon+1, end, Redacted)
		}
	case strings.HasPrefix(name, "--") && m.text[from] != '-' && isSecretName(m.text, from-1, asPair):
		if word, _, _ := strings.Cut(m.text[from:], " "); !isFollower(word) { // lower-case words may be the arguments
			m.value(from)
		}
	}
}

// element handles the '>' at m.i: <password>hunter2</password>. In "usage: login <password> <host>" it ends no element.
func (m *masker) element() {
	f := foldName(m.text, m.i, false)
	if !f.whole || f.before != '<' && f.before != ':' || !f.isSecret(asPair) {
		return
	}
	value, _, _ := strings.Cut(m.text[m.i+1:], "<")
	if value != "" && value[0] != ' ' {
		m.replace(m.i+1, m.i+1+len(value), Redacted)
	}
}

package semconv

import "strings"

// webhooks are the ends of addresses that anybody may post to who knows them: ids, and then a token of at least min
// characters. An id is a letter with upper-case letters and digits behind it, or a number if its letter is 0.
var webhooks = [...]struct {
	prefix string
	ids    string // their letters
	min    int
}{
	{"services/", "TB", 20}, // Slack: services/T024BE7LD/B024BE7LE/...
	{"webhooks/", "0", 60},  // Discord: webhooks/1234567890/...
}

// webhook handles a letter at m.i with which the end of a webhook's address may begin.
func (m *masker) webhook(rest string) {
	for _, w := range webhooks {
		after, ok := strings.CutPrefix(rest, w.prefix)
		for i := 0; ok && i < len(w.ids); i++ {
			after, ok = cutID(after, w.ids[i])
		}
		if !ok {
			continue
		}
		n := 0
		for n < len(after) && after[n] != '%' && isNameByte(after[n]) {
			n++
		}
		if n >= w.min {
			from := m.i + len(rest) - len(after)
			m.replace(from, from+n, Redacted)
			return
		}
	}
}

// cutID returns what follows an id and a slash. The id begins with letter, or is a number if letter is 0.
func cutID(s string, letter byte) (after string, ok bool) {
	id, _, ok := strings.Cut(s[:min(len(s), maxLookahead)], "/")
	if !ok || id == "" || letter != '0' && id[0] != letter {
		return "", false
	}
	for i := range len(id) {
		if digit := '0' <= id[i] && id[i] <= '9'; !digit && (letter == '0' || id[i] < 'A' || 'Z' < id[i]) {
			return "", false
		}
	}
	return s[len(id)+1:], true
}

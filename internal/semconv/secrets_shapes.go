package semconv

import "strings"

// shape is how a provider's tokens begin, and how many characters follow at least.
type shape struct {
	prefix string
	min    int
}

// shapes are the tokens that are known by themselves, by their first letter. JSON web tokens have rules of their own:
// see [jwtEnd].
var shapes = [128][]shape{
	'g': {
		{"ghp_", 20}, {"gho_", 20}, {"ghu_", 20}, {"ghs_", 20}, {"ghr_", 20}, {"github_pat_", 20},
		{"glpat-", 16}, {"gldt-", 16}, {"glrt-", 16}, {"glptt-", 16},
	},
	'x': {{"xoxb-", 16}, {"xoxp-", 16}, {"xoxa-", 16}, {"xoxr-", 16}, {"xoxs-", 16}, {"xoxe.", 16}, {"xapp-", 16}},
	's': {
		{"sk_live_", 16}, {"sk_test_", 16}, {"sk-", 20}, {"shpat_", 20}, {"shpss_", 20}, {"shpca_", 20}, {"shppa_", 20},
	},
	'r': {{"rk_live_", 16}, {"rk_test_", 16}},
	'h': {{"hvs.", 20}, {"hvb.", 20}, {"hf_", 30}},
	'w': {{"whsec_", 16}},
	'n': {{"npm_", 30}},
	'd': {{"dop_v1_", 30}, {"dapi", 32}},
	'A': {{"AKIA", 16}, {"ASIA", 16}, {"AIza", 30}},
	'S': {{"SG.", 30}},
	'y': {{"ya29.", 20}},
}

const (
	keyBegin  = "-----BEGIN "
	keyEnd    = "-----END "
	keySuffix = "PRIVATE KEY"
)

// shape handles a letter at m.i with which a token of a known form, or a private key in PEM, may begin.
func (m *masker) shape() {
	if !m.wordBegins() {
		return
	}
	rest := m.text[m.i:]
	switch rest[0] {
	case 'e':
		m.replace(m.i, m.i+jwtEnd(rest), Redacted)
		return
	case 'b':
		m.botToken(rest)
		return
	case '-':
		if strings.HasPrefix(rest, keyBegin) {
			m.privateKey(rest)
		} else if m.prose() {
			m.flag(rest)
		}
		return
	}
	m.webhook(rest)
	for _, s := range shapes[rest[0]] {
		if strings.HasPrefix(rest, s.prefix) {
			m.replace(m.i, m.i+s.end(rest), Redacted)
			return
		}
	}
}

// wordBegins reports whether what is in front of m.i belongs to no longer word. A byte that is percent-encoded does
// not.
func (m *masker) wordBegins() bool {
	if m.i == 0 || m.text[m.i-1] == '.' || !isNameByte(m.text[m.i-1]) {
		return true
	}
	if unhex(m.text[m.i-1]) > 15 {
		return false
	}
	c, begin := decodedBefore(m.text, m.i-1)
	return begin < m.i-1 && (c == '.' || !isNameByte(c))
}

// end returns the length of the token of shape s that text begins with, 0 if it is another word. Tokens have digits
// and letters.
func (s shape) end(text string) int {
	i, digits, letters := len(s.prefix), false, false
	for ; i < len(text) && text[i] != '%' && isNameByte(text[i]); i++ {
		digit := '0' <= text[i] && text[i] <= '9'
		digits, letters = digits || digit, letters || !digit
	}
	if i-len(s.prefix) < s.min || !digits || !letters {
		return 0
	}
	return i
}

// botToken handles the token of a bot in the path of Telegram's API: /bot123456:AAF.../getMe.
func (m *masker) botToken(rest string) {
	id := strings.TrimLeft(strings.TrimPrefix(rest[:min(len(rest), maxLookahead)], "bot"), "0123456789")
	colon := len(rest[:min(len(rest), maxLookahead)]) - len(id)
	if colon <= len("bot") || id == "" || id[0] != ':' || !strings.HasPrefix(rest, "bot") {
		return
	}
	m.replace(m.i+colon+1, m.i+colon+1+shape{min: 30}.end(rest[colon+1:]), Redacted)
}

// privateKey handles a private key in PEM, if rest, which begins with keyBegin, is one.
func (m *masker) privateKey(rest string) {
	label, _, found := strings.Cut(rest[len(keyBegin):min(len(rest), 2*maxLookahead)], "-----")
	if !found || !strings.HasSuffix(label, keySuffix) {
		return
	}
	from := m.i + len(keyBegin) + len(label) + len("-----")
	end := strings.Index(m.text[from:], keyEnd)
	if end < 0 {
		end = len(m.text) - from
	}
	m.replace(from, from+end, Redacted)
}

// jwtEnd returns the length of the JSON web token, signed or encrypted, that s begins with, 0 if there is none.
func jwtEnd(s string) int {
	const minPart, maxDots = 10, 4
	if !strings.HasPrefix(s, "eyJ") {
		return 0
	}
	dots, part := 0, 0
	i := 0
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.' && dots < maxDots:
			if dots == 0 && part < minPart {
				return 0
			}
			dots, part = dots+1, 0
		case c != '.' && c != '%' && isNameByte(c):
			part++
		default:
			return jwtLength(i, dots)
		}
	}
	return jwtLength(i, dots)
}

// jwtLength returns n if the n bytes with so many dots can be a JSON web token.
func jwtLength(n, dots int) int {
	if dots == 0 {
		return 0
	}
	return n
}

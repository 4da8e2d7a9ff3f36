package semconv

import "strings"

// Redacted stands in every tag and log where a secret was.
const Redacted = "REDACTED"

// IsSecret reports whether the values of a parameter, header, metadata key or tag with this name are secrets. Case,
// percent-encoding, the characters "-_.[]" and an index, number or version at the end do not matter, and the end of
// the name decides: accessToken, X-Plex-Token, user[password], tokens[0] and signature_v2 are secrets; author,
// tokenizer, monkey and max_tokens are not. What says how a secret is written, as in password_hash, is passed over, and
// so is a random end, as in session_9f2c41d7. Positions in lists, such as next_page_token, are not secrets. The time it
// takes is linear in the name's length.
func IsSecret(name string) bool { return isSecretName(name, len(name), asParameter) }

// nameKind is how sure it is that what stands in front of a value is a name.
type nameKind uint8

const (
	asWord      nameKind = iota // it may be a word in a sentence
	asPair                      // it is that of name=value in a text, without spaces
	asParameter                 // it is that of a parameter, a header, metadata or a tag
)

// isSecretName reports whether the name that ends before text[end] is that of a secret. Frameworks give their cookies
// names with a random end.
func isSecretName(text string, end int, kind nameKind) bool {
	f := foldName(text, end, false)
	if f.isSecret(kind) {
		return true
	}
	if fixed := withoutRandomEnd(text, end); fixed < end {
		f = foldName(text, fixed, false)
		return f.isSecret(asPair)
	}
	return false
}

const (
	maxRandomParts = 5 // of a UUID
	maxRandomPart  = 64
	minRandomHash  = 16 // digits of a random end without a separator in front
)

// withoutRandomEnd returns where the name that ends before text[end] ends without its random parts: hexadecimal digits,
// or a mixture of letters and digits.
func withoutRandomEnd(text string, end int) int {
	for range maxRandomParts {
		begin, hex, digits := end, end, 0 // hex is where the hexadecimal digits at the end begin
		for begin > 0 && end-begin < maxRandomPart && isAlphanumeric(text[begin-1]) {
			begin--
			if hex == begin+1 && unhex(text[begin]) <= 15 {
				hex = begin
			}
			if text[begin] <= '9' {
				digits++
			}
		}
		n := end - begin
		switch {
		case digits == 0:
			return end
		case begin == 0 || strings.IndexByte("-_.", text[begin-1]) < 0:
			if end-hex >= minRandomHash {
				return hex
			}
			return end
		case hex == begin && n >= 4, digits >= 2 && n >= 8:
			end = begin - 1
		default:
			return end
		}
	}
	return end
}

func isAlphanumeric(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

// MaskHeader returns the value of a header or metadata key as it may be recorded: [Redacted] if the name is that of a
// secret, else without the secrets that it quotes, such as a token in a Location.
func MaskHeader(name, value string) string {
	if IsSecret(name) {
		return Redacted
	}
	return MaskText(value)
}

// maxFolded is more than the length of the longest word in the lists and two qualifiers.
const maxFolded = 48

// foldedName is the end of a name in lower case, without separators.
type foldedName struct {
	buf      [maxFolded + 1]byte // filled from its end
	at       int                 // where in buf the name begins
	starts   uint64              // bit i is set if a word begins at buf[i]
	spaces   uint64              // bit i is set if a space stands before buf[i]
	whole    bool                // there is no more of the name before buf
	before   byte                // what stands before a whole name; 0 if nothing does
	numbered bool                // there are digits behind the last letter
	indexed  bool                // there are digits or brackets behind the last letter
}

// foldName folds the name that ends before text[end]. If spaces is true, words with a single space between them are
// one name.
func foldName(text string, end int, spaces bool) (f foldedName) {
	f.at, f.whole = len(f.buf), true
	upper := false // the byte behind text[i] is an upper-case letter
	for i := end - 1; i >= 0; i-- {
		c := text[i]
		if i >= 2 && (text[i-2] == '%' || text[i-2] == '5') {
			c, i = decodedBefore(text, i)
		}
		switch {
		case c == '-' || c == '_' || c == '.' || c == '[' || c == ']',
			c == ' ' && spaces && i > 0 && text[i-1] != ' ' && f.at < len(f.buf):
			f.separate(c)
			upper = false
			continue
		case '0' <= c && c <= '9':
			if f.at == len(f.buf) {
				f.numbered, f.indexed = true, true
				continue
			}
			f.startWord()
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
			upper = true
		case 'a' <= c && c <= 'z':
			if upper {
				f.startWord()
			}
			upper = false
		default:
			f.before = c
			f.startWord()
			return f
		}
		if f.at == 0 {
			f.whole = false
			return f
		}
		f.at--
		f.buf[f.at] = c
	}
	f.startWord()
	return f
}

// separate adds a byte between two words.
func (f *foldedName) separate(c byte) {
	f.indexed = f.indexed || f.at == len(f.buf) && c == ']'
	if c == ' ' {
		f.spaces |= 1 << f.at
	}
	f.startWord()
}

func (f *foldedName) startWord() { f.starts |= 1 << f.at }

// decodedBefore returns the byte that ends at text[i], and where it begins. It may be percent-encoded, more than once.
func decodedBefore(text string, i int) (c byte, begin int) {
	const maxTimes = 4
	c = text[i]
	if i < 2 || unhex(c) > 15 || unhex(text[i-1]) > 15 {
		return c, i
	}
	begin = i - 2
	for n := 1; n < maxTimes && begin >= 2 && text[begin] == '5' && text[begin-1] == '2'; n++ {
		begin -= 2
	}
	if text[begin] != '%' {
		return c, i
	}
	return unhex(text[i-1])<<4 | unhex(c), begin
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10
	}
	return 0xff
}

// isSecret reports whether the name is that of a secret.
func (f *foldedName) isSecret(kind nameKind) bool {
	name := f.buf[f.at:]
	if len(name) == 0 {
		return false
	}
	if kind == asParameter && f.whole && ambiguousNames.ending(name) == len(name) ||
		kind >= asPair && f.whole && secretNames.ending(name) == len(name) {
		return true
	}
	if f.numbered {
		if n := versions.ending(name); n > 0 && n < len(name) && f.endsInSecret(name[:len(name)-n], kind) {
			return true
		}
	}
	for range 3 {
		if f.endsInSecret(name, kind) {
			return true
		}
		n := qualifiers.ending(name)
		if n == 0 || n == len(name) {
			return false
		}
		name = name[:len(name)-n]
	}
	return false
}

// endsInSecret reports whether name, which is the beginning of f's, ends in one of the words that mark secrets, or in
// its plural. Tokens are secrets in a list only, since max_tokens is a number.
func (f *foldedName) endsInSecret(name []byte, kind nameKind) bool {
	if secretSuffixes.ending(name) > 0 {
		return !f.endsHarmless(name)
	}
	if n := secretWords.ending(name); kind >= asPair && n > 0 && f.starts>>(f.at+len(name)-n)&1 != 0 {
		return true
	}
	if last := len(name) - 1; last > 0 && name[last] == 's' {
		name = name[:last]
		return secretSuffixes.ending(name) > 0 && !f.endsHarmless(name) &&
			(f.indexed || string(name[max(0, last-len("token")):]) != "token")
	}
	return false
}

// endsHarmless reports whether name, which is the beginning of f's, ends in a word of harmlessSuffixes. One that spaces
// divide is prose: in "sent no Cookie: a=b" the name is Cookie.
func (f *foldedName) endsHarmless(name []byte) bool {
	n := harmlessSuffixes.ending(name)
	begin := f.at + len(name) - n
	return n > 0 && f.spaces>>(begin+1)&(1<<(n-1)-1) == 0
}

package export

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

const (
	// minSecretLen is the length from which a secret is masked wherever it stands. Shorter ones are masked as whole
	// words, since masking them in the middle of others would garble every message.
	minSecretLen = 4

	// minFoldedLen is the length from which a secret is masked in any letter case, as headers and hosts are written.
	minFoldedLen = 8

	maxRecentSecrets = 4
)

// Redactor replaces secrets in the words of others, such as a backend's.
type Redactor struct {
	secrets []string // longest first
	recent  []string // the last of those that change
}

// Add makes r replace the secrets, and what follows a scheme such as "Bearer " in them, also where they are encoded for
// a URL or for JSON.
func (r *Redactor) Add(secrets ...string) {
	for _, s := range secrets {
		r.add(s)
		if scheme, credentials, ok := strings.Cut(s, " "); ok {
			r.add(credentials)
			if strings.EqualFold(scheme, "basic") {
				r.addBasic(credentials)
			}
		}
	}
	r.sort()
}

func (r *Redactor) add(s string) {
	if s = strings.TrimSpace(s); s == "" {
		return
	}
	inJSON, _ := json.Marshal(s) // a string cannot fail
	for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), string(inJSON[1 : len(inJSON)-1])} {
		if !slices.Contains(r.secrets, form) {
			r.secrets = append(r.secrets, form)
		}
	}
}

// addBasic adds user and password of the credentials of basic authentication.
func (r *Redactor) addBasic(credentials string) {
	if b, err := base64.StdEncoding.DecodeString(credentials); err == nil {
		user, password, _ := strings.Cut(string(b), ":")
		r.add(user)
		r.add(password)
	}
}

func (r *Redactor) sort() {
	slices.SortStableFunc(r.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}

// AddRecent makes r replace a secret that will change, such as a token of an hour: the last few are remembered.
func (r *Redactor) AddRecent(secret string) {
	if slices.Contains(r.recent, secret) {
		return
	}
	if r.recent = append(r.recent, secret); len(r.recent) > maxRecentSecrets {
		r.recent = slices.Delete(r.recent, 0, 1)
	}
}

// AddURL makes r replace whatever MaskURL would not show of u.
func (r *Redactor) AddURL(u *url.URL, defaultPath string) {
	if u.User != nil {
		password, _ := u.User.Password()
		r.Add(u.User.Username(), password)
	}
	if u.Path != defaultPath {
		r.Add(u.Path, u.EscapedPath())
		for segment := range strings.SplitSeq(u.Path, "/") {
			if len(segment) >= 2*minSecretLen {
				_, token, _ := strings.Cut(segment, "_") // as in adapt_TOKEN
				r.Add(segment, token)
			}
		}
	}
	r.Add(u.RawQuery)
	for _, values := range u.Query() {
		r.Add(values...)
	}
}

// AddTags makes r replace the values of tags whose keys are those of secrets.
func (r *Redactor) AddTags(tags []model.Tag) {
	for _, t := range tags {
		if semconv.IsSecret(t.Key) {
			r.Add(t.Value.Str())
		}
	}
}

// Text returns s with every secret replaced by "***", and without what is written as a secret, such as "token=...".
func (r *Redactor) Text(s string) string {
	for _, secret := range r.recent {
		s = replaceFolded(s, secret)
	}
	for _, secret := range r.secrets {
		switch {
		case len(secret) >= minFoldedLen:
			s = replaceFolded(s, secret)
		case len(secret) >= minSecretLen:
			s = strings.ReplaceAll(s, secret, "***")
		default:
			s = replaceWord(s, secret)
		}
	}
	return semconv.MaskText(s)
}

// replaceFolded masks secret in any case of its ASCII letters.
func replaceFolded(s, secret string) string {
	if secret == "" {
		return s
	}
	var out strings.Builder
	folded, secret := lowerASCII(s), lowerASCII(secret)
	for {
		i := strings.Index(folded, secret)
		if i < 0 {
			return out.String() + s
		}
		out.WriteString(s[:i])
		out.WriteString("***")
		s, folded = s[i+len(secret):], folded[i+len(secret):]
	}
}

// lowerASCII returns s, of the same length, with its ASCII letters in lower case.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// replaceWord masks the word where it stands alone in s.
func replaceWord(s, word string) string {
	var out strings.Builder
	for {
		i := strings.Index(s, word)
		if i < 0 {
			return out.String() + s
		}
		rest := s[i+len(word):]
		out.WriteString(s[:i])
		if endsInWord(s[:i]) || startsWithWord(rest) {
			out.WriteString(word)
		} else {
			out.WriteString("***")
		}
		s = rest
	}
}

func endsInWord(s string) bool {
	return s != "" && inWord(rune(s[len(s)-1]))
}

func startsWithWord(s string) bool {
	return s != "" && inWord(rune(s[0]))
}

func inWord(r rune) bool { return r == '_' || r >= 0x80 || unicode.IsLetter(r) || unicode.IsDigit(r) }

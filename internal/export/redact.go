package export

import (
	"net/url"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
)

// shortest is the length from which a string counts as a secret: masking shorter ones would garble every message.
const shortest = 4

// Redactor replaces secrets in messages.
type Redactor struct{ secrets []string }

// Add makes r replace the secrets, and what follows a scheme such as "Bearer " in them.
func (r *Redactor) Add(secrets ...string) {
	for _, s := range secrets {
		if _, credentials, ok := strings.Cut(s, " "); ok && len(credentials) >= shortest {
			r.secrets = append(r.secrets, credentials)
		}
		if len(s) >= shortest {
			r.secrets = append(r.secrets, s)
		}
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
}

// AddURL makes r replace whatever MaskURL would not show of u.
func (r *Redactor) AddURL(u *url.URL, defaultPath string) {
	if password, ok := u.User.Password(); ok {
		r.Add(password)
	}
	if u.Path != defaultPath {
		r.Add(u.Path, u.EscapedPath())
		for segment := range strings.SplitSeq(u.Path, "/") {
			if len(segment) >= 2*shortest {
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

// AddTags makes r replace the values of tags whose keys are Secretive.
func (r *Redactor) AddTags(tags []model.Tag) {
	for _, t := range tags {
		if Secretive(t.Key) {
			r.Add(t.Value.Str())
		}
	}
}

// Text returns s with every secret replaced by "***".
func (r *Redactor) Text(s string) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

var secretWords = []string{"token", "secret", "password", "passwd", "authorization", "authentication", "credential",
	"api_key", "api-key", "apikey", "access_key", "access-key", "accesskey", "private_key", "license"}

// Secretive reports whether s, a tag's key or a list of tags, names something that should not be shown.
func Secretive(s string) bool {
	s = strings.ToLower(s)
	for _, word := range secretWords {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

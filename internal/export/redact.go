package export

import (
	"net/url"
	"slices"
	"strings"
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

// Text returns s with every secret replaced by "***".
func (r *Redactor) Text(s string) string {
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

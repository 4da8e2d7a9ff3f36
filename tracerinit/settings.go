package tracerinit

import (
	"fmt"
	"strings"
)

// Setting is one setting in effect: its name, its value with secrets shown as "***", and where it was said:
// "code", the name of an environment variable, or "default".
type Setting struct{ Name, Value, Source string }

// String returns "name = value (source)".
func (s Setting) String() string { return fmt.Sprintf("%s = %s (%s)", s.Name, s.Value, s.Source) }

// Settings returns every setting in effect, in a fixed order. Print them to see why a program traces as it does.
func (t *Tracer) Settings() []Setting { return append([]Setting(nil), t.settings...) }

var secretWords = []string{"token", "secret", "password", "passwd", "authorization", "authentication", "credential",
	"api_key", "api-key", "apikey", "access_key", "access-key", "accesskey", "private_key", "license"}

// secretive reports whether s, a tag's key or a list of tags, names something that should not be shown.
func secretive(s string) bool {
	s = strings.ToLower(s)
	for _, word := range secretWords {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

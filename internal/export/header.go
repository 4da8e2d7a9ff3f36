package export

import (
	"strconv"
	"strings"
)

// ValidHeader reports whether HTTP can carry the header: its name is a token, its value has no control characters.
func ValidHeader(name, value string) bool {
	return name != "" && !strings.ContainsFunc(name, notToken) && !strings.ContainsFunc(value, control)
}

// ShownHeader returns the name of a header for an error about it: what is no name may be a secret.
func ShownHeader(name string) string {
	if !ValidHeader(name, "") {
		return `"***"`
	}
	return strconv.Quote(name)
}

func notToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

package semconv

import "strings"

// isSentence reports whether s, which stands behind "token: " or the like, goes on in words: "unexpected end of
// input", "401 Unauthorized". A password of lower-case letters at the end of a text does not.
func isSentence(s string) bool {
	word, rest, more := strings.Cut(s[:min(len(s), 2*maxLookahead)], " ")
	if isState(word) {
		return true
	}
	if !more {
		return false
	}
	if len(word) <= 3 && strings.Trim(word, "0123456789") == "" {
		return true
	}
	next, _, _ := strings.Cut(rest, " ")
	return isLower(strings.TrimRight(word, ":,")) && isLower(strings.TrimRight(next, ":,.;"))
}

func isLower(word string) bool {
	for i := range len(word) {
		if c := word[i]; (c < 'a' || c > 'z') && c != '\'' && c != '-' {
			return false
		}
	}
	return word != ""
}

// states are the words that say what is wrong with a secret, or that there is none.
var states = setOf(
	"expired", "invalid", "missing", "required", "empty", "malformed", "revoked", "unauthorized", "forbidden", "denied",
	"rejected", "mismatch", "unknown", "unset", "wrong", "unexpected", "eof", "nil", "null", "none", "true", "false",
)

func isState(word string) bool {
	word = strings.Trim(word, "<>.,;:!)]}")
	if len(word) > maxLookahead {
		return false
	}
	return word == "" || states[strings.ToLower(word)]
}

// followers are what follows the word bearer in sentences and in challenges, and the name of a flag in sentences.
var followers = setOf(
	"token", "tokens", "auth", "authentication", "authorization", "scheme", "schemes", "header", "headers", "credential",
	"credentials", "prefix", "type", "is", "was", "not", "and", "or", "in", "from", "for", "of", "to", "must", "format",
	"needs", "requires", "cannot", "has",
	"realm", "error", "error_description", "error_uri", "scope", "resource_metadata",
)

func isFollower(word string) bool {
	word, _, _ = strings.Cut(word[:min(len(word), maxLookahead)], "=")
	return followers[strings.ToLower(strings.TrimRight(word, ".:"))]
}

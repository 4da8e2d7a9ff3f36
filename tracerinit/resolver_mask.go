package tracerinit

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

const maxQuoted = 120

// plainWord matches what can be quoted from a variable whose value is wrong: names, numbers, host:port and lists of
// them, and the names of protocols. A path, a URL, a header and a pair of user and password do not match, since they
// may hold a secret.
var plainWord = regexp.MustCompile(`^((http|udp)/[a-z.]+|[\w.+*-]*(:\d*)?)(, ?[\w.+*-]+)*$`)

// plainFile matches the path of a file.
var plainFile = regexp.MustCompile(`^(\.{0,2}/[\w.+-]+(/[\w.+-]+)*|[\w.+-]+)$`)

// plainScheme matches the schemes of addresses that are worth quoting.
var plainScheme = regexp.MustCompile(`^(https?|grpcs?|ftp|tcp|udp|unix|dns)$`)

// quoted returns value in quotation marks, or the mask if it may be a secret. Of a URL it quotes scheme and host.
func quoted(value string) string {
	if strings.Contains(value, "://") {
		value = shownURL(value)
	}
	if value == mask || looksSecret(value) || !plainWord.MatchString(value) && !strings.Contains(value, "://") {
		return mask
	}
	return strconv.Quote(model.Cut(value, maxQuoted))
}

// isPlain reports whether value can be shown as it is.
func isPlain(value string) bool { return plainWord.MatchString(value) && !looksSecret(value) }

// quotedFile is quoted for the path of a file.
func quotedFile(path string) string {
	if looksSecret(path) || !plainFile.MatchString(path) {
		return mask
	}
	return strconv.Quote(model.Cut(path, maxQuoted))
}

// credential matches text that holds a secret by the way it is written.
var credential = regexp.MustCompile(`(?i)\b(bearer|basic|digest|token)\s+\S|` +
	`(authori[sz]ation|authentication|passw(or)?d|secret|token|credentials?|` +
	`(api|access|account|private|signing|license|ingest)[_-]?key)\w*["']?\s*[:=]\s*\S|` +
	`//[^/\s]*@|\w:[^/\s@]+@`)

// looksSecret reports whether a wrong value may be a secret: it names one, or it is long and looks random.
func looksSecret(value string) bool {
	if semconv.IsSecret(value) || semconv.MaskText(value) != value || credential.MatchString(value) {
		return true
	}
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune("./:,_- ", c) }) {
		if len(word) >= 20 && strings.ContainsAny(word, "0123456789") && strings.Trim(word, "0123456789") != "" {
			return true
		}
	}
	return false
}

// shownText returns a value that may be any text, such as the service's name, for [Setting]: masked if it holds a
// credential, and without the path if it is a URL.
func shownText(value string) string {
	if credential.MatchString(value) {
		return mask
	}
	if strings.Contains(value, "://") {
		return shownURL(value)
	}
	return value
}

// shownURL returns scheme and host of an endpoint. What is not a URL is masked unless it is a plain word.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || !plainScheme.MatchString(u.Scheme):
	case u.Hostname() == "" || export.ValidHost(u.Hostname()):
		return export.MaskURL(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, u.Path[:0])
	}
	if isPlain(raw) {
		return raw
	}
	return mask
}

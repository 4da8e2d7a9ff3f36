package tracerinit

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
)

// validateURL checks a URL that is then used as it was written: the tokens that vendors put into paths must survive.
// The error says what a right one looks like, by example.
func validateURL(raw, example string) error {
	if _, err := export.ParseURL(raw, "/"); err != nil {
		return fmt.Errorf("%w; %w", err, expected("a URL such as "+example))
	}
	return nil
}

// hostName reads a host's name or address; an IPv6 address may stand in brackets.
func hostName(s string) (string, error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok {
			s = inner
		}
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return s, nil
	}
	if !export.ValidHost(s) {
		return "", expected("a host name or an address, without a port")
	}
	return s, nil
}

// portNumber reads a port.
func portNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, expected("a port from 1 to 65535")
	}
	return n, nil
}

// serviceLink matches what Kubernetes sets NAME_PORT to in every pod beside a service called name:
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var serviceLink = regexp.MustCompile(`^(?i:tcp|udp|sctp)://[^/@?#]+$`)

// port returns the candidate that is a variable with a port. A service link is ignored, with a warning.
func (r *resolver) port(variable string) candidate[int] {
	return from(r, variable, func(s string) (int, error) {
		if serviceLink.MatchString(s) {
			r.reported[variable] = true
			r.warn("a variable holds the link to a Kubernetes service, not a port, and is ignored; "+
				"enableServiceLinks: false in the pod's specification leaves it out", slogVariable(variable))
			return 0, errMeansDefault
		}
		return portNumber(s)
	})
}

// unexpanded matches a reference to a variable that was not replaced.
var unexpanded = regexp.MustCompile(`\$[({]\w*[)}]|\{\{.*\}\}|(^|://)(\$\w+|%\w+%)(:\d+)?(/|$)`)

// reference matches a reference that can be shown, since it is no more than a variable's name.
var reference = regexp.MustCompile(`\$(\([A-Z][A-Z0-9_]*\)|\{[A-Z][A-Z0-9_]*\})`)

// jaegerReference matches a value in JAEGER_TAGS that is replaced by that of a variable.
var jaegerReference = regexp.MustCompile(`=\s*\$\{\w*(:[^}]*)?\}\s*(,|$)`)

// quotedPair matches a value in quotation marks in a list of key=value.
var quotedPair = regexp.MustCompile(`(?:^|,)[^=,]*=\s*(?:"[^",]*"|'[^',]*')\s*(?:,|$)`)

// hintFor returns what is probably wrong with a value, judging by its looks; "" if it looks fine.
func hintFor(value string) string {
	switch {
	case value == "":
		return ""
	case strings.ContainsRune("\"'`“”‘’", firstRune(value)):
		return hintQuotes
	case unexpanded.MatchString(value):
		named := "it holds a reference that was not replaced"
		if name := reference.FindString(value); name != "" {
			named = "it holds " + name + ", which was not replaced"
		}
		return named + ": Kubernetes replaces $(NAME) only where NAME is defined earlier in the same list, and no shell " +
			"reads ${NAME} there"
	}
	return ""
}

const hintQuotes = "the quotation marks are part of the value: remove them"

// hintFor is the function of that name for a variable, whose value may be a list.
func (r *resolver) hintFor(name string) string {
	value := r.variables[name]
	if name == jaegerTagsVariable {
		value = jaegerReference.ReplaceAllString(value, "=,")
	}
	switch name {
	case jaegerTagsVariable, attributesVariable, otlpPrefix + "HEADERS", otlpTraces + "HEADERS":
		if quotedPair.MatchString(value) {
			return hintQuotes
		}
	}
	return hintFor(value)
}

func firstRune(s string) rune {
	for _, c := range s {
		return c
	}
	return 0
}

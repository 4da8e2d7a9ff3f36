package tracerinit

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/export"
)

// shownURL is an endpoint as far as it may be told: scheme and host. What does not read as a URL is told only if it
// cannot hold a path, a password or a query.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err == nil && u.Host != "":
		return export.MaskURL(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}, u.Path[:0])
	case strings.ContainsAny(raw, "/@?="):
		return mask
	}
	return raw
}

// judgeURL checks a URL that is then used as it was written: the tokens that vendors put into paths must survive.
func judgeURL(raw string) error {
	if _, err := export.ParseURL(raw, "/"); err != nil {
		return fmt.Errorf("%w; %w", err, wanted("a URL such as http://localhost:4318"))
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
	if strings.ContainsAny(s, ":/@?#[] \t\"'=,;") {
		return "", wanted("a host name or an address, without a port")
	}
	return s, nil
}

// portNumber reads a port.
func portNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 65535 {
		return 0, wanted("a port from 1 to 65535")
	}
	return n, nil
}

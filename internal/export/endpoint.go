package export

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// ParseURL reads an http or https endpoint as copied from a vendor's console: a path is kept as it is written, none
// becomes defaultPath. The error says what is wrong without quoting the endpoint, which may hold a token.
func ParseURL(endpoint, defaultPath string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(endpoint))
	switch {
	case strings.TrimSpace(endpoint) == "":
		return nil, errors.New("the endpoint is empty")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("the endpoint is not a URL that begins with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("the endpoint has no host")
	case strings.ContainsAny(u.Hostname(), "=,; "):
		return nil, errors.New("the endpoint's host is not one name or address")
	case !validPort(u):
		return nil, errors.New("the endpoint's port is not a number from 1 to 65535")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = defaultPath, ""
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	if u.Port() == "" {
		return true
	}
	n, err := net.LookupPort("tcp", u.Port())
	return err == nil && n > 0
}

// MaskURL returns u for logs and settings: scheme, host, and the path only if it is defaultPath; what else there is,
// such as a token in the path, is shown as "***".
func MaskURL(u *url.URL, defaultPath string) string {
	s := u.Scheme + "://" + u.Host
	switch {
	case u.Path != defaultPath || u.RawPath != "":
		s += "/***"
	default:
		s += u.Path
	}
	if u.RawQuery != "" {
		s += "?***"
	}
	return s
}

// Loopback tells whether host, without a port, is this machine by name or address.
func Loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

package export

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// ParseURL reads an http or https endpoint as copied from a vendor's console: a path is kept as it is written, none
// becomes defaultPath. The error says what is wrong without quoting the endpoint, which may hold a token.
func ParseURL(endpoint, defaultPath string) (*url.URL, error) {
	endpoint = strings.TrimSpace(endpoint)
	u, err := url.Parse(endpoint)
	switch {
	case endpoint == "":
		return nil, errors.New("the endpoint is empty")
	case bareIPv6(endpoint):
		return nil, errors.New("the endpoint's IPv6 address has no brackets: write http://[2001:db8::1]:4318")
	case err != nil || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("the endpoint is not a URL that begins with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("the endpoint has no host")
	case !ValidHost(u.Hostname()):
		return nil, errors.New("the endpoint's host is not one name or address")
	case !validPort(u):
		return nil, errors.New("the endpoint's port is not a number from 1 to 65535")
	case u.Fragment != "": // servers never see one, so a token would lose its end
		return nil, errors.New("the endpoint holds a #, which is written %23 in a URL")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path, u.RawPath = defaultPath, ""
	}
	return u, nil
}

// hostChars matches the names of hosts, in any script. Underscores are common in the names of containers.
var hostChars = regexp.MustCompile(`^[\p{L}\p{M}\p{N}._-]+$`)

// ValidHost reports whether host, without a port, is a name or an address, which has no brackets. It keeps out what
// [url.Parse] takes for a host although it is none, such as $(HOST_IP), which was to be replaced by an address.
func ValidHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) > 63 {
			return false
		}
	}
	return hostChars.MatchString(host)
}

// bareIPv6 reports whether the authority of a URL is an IPv6 address without brackets, with or without a port.
func bareIPv6(endpoint string) bool {
	_, rest, ok := strings.Cut(endpoint, "://")
	if !ok {
		return false
	}
	host, _, _ := strings.Cut(rest, "/")
	if strings.Count(host, ":") < 2 || strings.ContainsAny(host, "[]@") {
		return false
	}
	host, _, _ = strings.Cut(host, "%")
	_, err := netip.ParseAddr(host)
	if i := strings.LastIndex(host, ":"); err != nil {
		_, err = netip.ParseAddr(host[:i])
	}
	return err == nil
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

// Loopback reports whether host, without a port, is this machine, by name or address.
func Loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

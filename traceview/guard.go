package traceview

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secureHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// guard decides who is answered.
type guard struct {
	allow func(*http.Request) bool
	cross *http.CrossOriginProtection
}

func newGuard(allow func(*http.Request) bool) guard {
	return guard{allow, http.NewCrossOriginProtection()}
}

// check returns why r is refused, or "".
func (g guard) check(r *http.Request) string {
	if g.allow != nil {
		if !g.allow(r) {
			return "traceview: refused by Config.Allow"
		}
	} else if problem := notLoopback(r); problem != "" {
		return "traceview: " + problem + "; only loopback callers are answered unless Config.Allow says otherwise"
	}
	if err := g.cross.Check(r); err != nil {
		return "traceview: cross-origin request refused"
	}
	return ""
}

func notLoopback(r *http.Request) string {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !addr.Addr().Unmap().IsLoopback() {
		return "not a loopback caller"
	}
	if name := forwarded(r.Header); name != "" {
		return "the request was forwarded (" + name + ")"
	}
	if !loopbackHost(r.Host) {
		return "the Host header does not name this machine's loopback"
	}
	return ""
}

// forwarded returns the name of a header that only proxies add.
func forwarded(h http.Header) string {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Real-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
			"Cf-Connecting-Ip", "Fastly-Client-Ip", "X-Original-Host", "X-Original-For", "X-Envoy-External-Address",
			"X-Appengine-User-Ip", "Fly-Client-Ip":
			return name
		}
		if strings.HasPrefix(name, "X-Forwarded") {
			return name
		}
	}
	return ""
}

// loopbackHost reports whether a Host header means this machine. A page of a rebound DNS name sends its own name.
func loopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && addr.Unmap().IsLoopback()
}

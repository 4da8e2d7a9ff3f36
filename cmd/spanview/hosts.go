package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

// hosts decides which requests are answered. A page of the web can point a name of its own at this machine, and a
// browser then sends that name in the Host header: names that are not of this machine are refused.
type hosts struct {
	remote bool // callers of other machines are answered
	names  map[string]bool
}

func newHosts(host, names string) *hosts {
	h := &hosts{remote: !isLoopback(host), names: map[string]bool{"localhost": true}}
	for _, name := range list(names) {
		h.names[strings.ToLower(name)] = true
	}
	if h.remote {
		h.names[strings.ToLower(host)] = true
		if name, err := os.Hostname(); err == nil {
			h.names[strings.ToLower(name)] = true
		}
	}
	return h
}

// wrap refuses what allow does, and says why.
func (h *hosts) wrap(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !h.allowName(r.Host):
			http.Error(w, fmt.Sprintf("spanview: %.200q is not a name of this machine. Use localhost, or start spanview "+
				"with -names NAME", r.Host), http.StatusForbidden)
		case !h.allow(r):
			http.Error(w, "spanview: only callers of this machine are answered, unless -host is set", http.StatusForbidden)
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

func (h *hosts) allow(r *http.Request) bool {
	if !h.remote {
		caller, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !caller.Addr().Unmap().IsLoopback() {
			return false
		}
	}
	return h.allowName(r.Host)
}

// allowName takes names of this machine. An address is no name that a page could own, but below the loopback interface
// only loopback addresses are meant.
func (h *hosts) allowName(hostport string) bool {
	host := hostport
	if name, _, err := net.SplitHostPort(hostport); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if h.names[host] || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && (h.remote || addr.Unmap().IsLoopback())
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

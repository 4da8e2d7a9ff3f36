package main

import (
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

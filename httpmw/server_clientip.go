package httpmw

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientIP returns the address nearest to the server that is not a trusted proxy's. X-Forwarded-For is read from the
// right, where each proxy appends. Entries left of the first untrusted or malformed address can be forged and are
// ignored.
func clientIP(peer netip.Addr, h http.Header, trusted []netip.Prefix) netip.Addr {
	client := peer
	forwarded := h["X-Forwarded-For"]
	for i := len(forwarded) - 1; i >= 0; i-- {
		for rest, more := forwarded[i], true; more; {
			if !isTrusted(client, trusted) {
				return client
			}
			last := rest
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, last = rest[:comma], rest[comma+1:]
			} else {
				more = false
			}
			ip, ok := parseForwarded(strings.TrimSpace(last))
			if !ok {
				return client
			}
			client = ip
		}
	}
	return client
}

func isTrusted(ip netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(ip) || (ip.Is4() && p.Addr().Is4In6() && p.Contains(netip.AddrFrom16(ip.As16()))) {
			return true
		}
	}
	return false
}

// parseForwarded reads an address with or without a port.
func parseForwarded(s string) (netip.Addr, bool) {
	if len(s) > 64 { // netip's errors quote all of it
		return netip.Addr{}, false
	}
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

package httpmw

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/semconv"
)

// peer is a socket address and the tags it becomes.
type peer struct {
	addr    string
	ip      netip.Addr
	address any // addr
	host    any // its IP address
	port    any // uint16; nil if unknown
}

func newPeer(addr string) *peer {
	p := &peer{addr: addr, address: addr}
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		p.ip, p.port = ap.Addr().Unmap(), ap.Port()
	} else if ip, err := netip.ParseAddr(addr); err == nil {
		p.ip = ip.Unmap()
	}
	if p.ip.IsValid() {
		p.host = p.ip.WithZone("").String()
	}
	return p
}

func (t tagWriter) ip(ip netip.Addr) any { return t.values.text(ip.WithZone("").String()) }

// server sets OpenTelemetry's address of the server. Without a port in hostport, it is otherwise; port 0 is not set.
func (t tagWriter) server(hostport string, otherwise uint16) {
	host, port := splitHostPort(hostport)
	if port == 0 {
		port = otherwise
	}
	if host != "" {
		t.add(semconv.ServerAddress, t.values.text(host))
	}
	if port != 0 {
		t.add(semconv.ServerPort, portTag(port))
	}
}

// portTag boxes the usual ports without allocating.
func portTag(port uint16) any {
	switch port {
	case 80:
		return uint16(80)
	case 443:
		return uint16(443)
	}
	return port
}

// splitHostPort is net.SplitHostPort for hosts that may lack a port, which then is 0.
func splitHostPort(hostport string) (host string, port uint16) {
	host = hostport[strings.LastIndexByte(hostport, '@')+1:]
	if len(host) > maxURL {
		return "", 0
	}
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		if n, err := strconv.ParseUint(host[colon+1:], 10, 16); err == nil {
			port = uint16(n)
		}
		host = host[:colon]
	}
	return strings.Trim(host, "[]"), port
}

// defaultPort returns the port of URLs that name none, 0 if the scheme has no default. Transports may know schemes of
// their own, such as file or unix, which go to no port at all.
func defaultPort(scheme string) uint16 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// peer sets the address of the other end of the connection.
func (t tagWriter) peer(p *peer) {
	t.add(semconv.PeerAddress, p.address)
	if p.host != nil && p.ip.Is4() {
		t.add(semconv.PeerIPv4, p.host)
	} else if p.host != nil {
		t.add(semconv.PeerIPv6, p.host)
	}
	host := p.host
	if host == nil {
		host = p.address
	}
	t.add(semconv.NetworkPeerAddress, host)
	if p.port != nil {
		t.add(semconv.PeerPort, p.port)
		t.add(semconv.NetworkPeerPort, p.port)
	}
}

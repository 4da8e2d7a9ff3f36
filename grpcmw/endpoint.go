package grpcmw

import (
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/semconv"
)

// endpoint is the other end of an RPC as tag values: boxed strings and an int, nil if unknown.
type endpoint struct{ address, host, port any }

func (c *config) newEndpoint(address string) (e endpoint) {
	if address == "" {
		return e
	}
	e.address = address
	if semconv.WritesOTel(c.semconv) {
		e.host = e.address
		if host, port, err := net.SplitHostPort(address); err == nil {
			e.host = host
			if n, err := strconv.Atoi(port); err == nil {
				e.port = n
			}
		}
	}
	return e
}

// endpointOfPeer returns the endpoint of a connection. Peers without an address of their own, such as unnamed unix
// sockets and connections within the process, have none, whatever their [net.Addr] prints.
func (c *config) endpointOfPeer(addr net.Addr) endpoint {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.AddrPort().IsValid() {
		return c.writeEndpoint(addr)
	}
	key := tcp.AddrPort()
	known := c.peers.slot(key)
	if p := known.Load(); p != nil && p.addr == key {
		return p.endpoint
	}
	p := &knownPeer{key, c.writeEndpoint(addr)}
	known.Store(p)
	return p.endpoint
}

// knownPeers has endpoints of peers, each in one of its slots until another with the same slot replaces it. RPCs have
// the same few peers again and again, and the text of an address costs four allocations. The zero value is empty. It
// may be used concurrently.
type knownPeers [64]atomic.Pointer[knownPeer]

type knownPeer struct {
	addr     netip.AddrPort
	endpoint endpoint
}

// slot returns where the endpoint of a peer may be. The servers of a client differ by address, and the clients of a
// server by port.
func (k *knownPeers) slot(addr netip.AddrPort) *atomic.Pointer[knownPeer] {
	bytes := addr.Addr().As16()
	return &k[(int(addr.Port())^int(bytes[len(bytes)-1]))%len(k)]
}

func (c *config) writeEndpoint(addr net.Addr) endpoint {
	address := safeAddress(addr)
	if host, port, err := net.SplitHostPort(address); err == nil && host != "" && port != "" {
		return c.newEndpoint(address)
	}
	if unix, ok := addr.(*net.UnixAddr); ok && unix != nil && address != "@" {
		return c.newEndpoint(address)
	}
	return endpoint{}
}

// safeAddress returns the text of an address whose methods may panic.
func safeAddress(addr net.Addr) (address string) {
	if addr == nil {
		return ""
	}
	defer func() { _ = recover() }()
	return addr.String()
}

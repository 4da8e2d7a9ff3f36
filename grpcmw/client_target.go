package grpcmw

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/rpcspan"
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
	address := safeAddress(addr)
	if host, port, err := net.SplitHostPort(address); err == nil && host != "" && port != "" {
		return c.newEndpoint(address)
	}
	if unix, ok := addr.(*net.UnixAddr); ok && unix != nil && address != "@" {
		return c.newEndpoint(address)
	}
	return endpoint{}
}

// lastServers has the endpoints of the servers that were called last, since a client calls the same ones again and
// again, and the text of an address costs four allocations. The zero value is empty. It may be used concurrently.
type lastServers struct {
	list [8]atomic.Pointer[calledServer]
	next atomic.Uint32 // counts those in list, where a new one replaces the oldest
}

type calledServer struct {
	addr     netip.AddrPort
	endpoint endpoint
}

// endpointOfServer is endpointOfPeer for the server that a client has called.
func (c *config) endpointOfServer(addr net.Addr) endpoint {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp == nil {
		return c.endpointOfPeer(addr)
	}
	key, servers := tcp.AddrPort(), &c.servers
	for i := range servers.list {
		if s := servers.list[i].Load(); s != nil && s.addr == key {
			return s.endpoint
		}
	}
	s := &calledServer{key, c.endpointOfPeer(addr)}
	servers.list[servers.next.Add(1)%uint32(len(servers.list))].Store(s)
	return s.endpoint
}

// safeAddress returns the text of an address whose methods may panic.
func safeAddress(addr net.Addr) (address string) {
	if addr == nil {
		return ""
	}
	defer func() { _ = recover() }()
	return addr.String()
}

// target is what a connection was dialled with, and its endpoint.
type target struct {
	name     string
	endpoint endpoint
}

// endpointOfTarget keeps the target that was called last, since the connections of one client mostly have one.
func (c *config) endpointOfTarget(name string) endpoint {
	if t := c.target.Load(); t != nil && t.name == name {
		return t.endpoint
	}
	t := &target{name, c.newEndpoint(withoutScheme(name))}
	c.target.Store(t)
	return t.endpoint
}

// withoutScheme cuts the resolver's scheme and authority off a target.
func withoutScheme(name string) string {
	scheme, rest, _ := strings.Cut(name, ":")
	path, absolute := strings.CutPrefix(rest, "//")
	switch scheme {
	case "unix":
		return path
	case "dns", "passthrough":
		if !absolute {
			return withoutSecrets(rest)
		}
	}
	if !absolute {
		return withoutSecrets(name)
	}
	_, address, _ := strings.Cut(path, "/")
	return withoutSecrets(address)
}

// withoutSecrets cuts off what a resolver may read credentials from: parameters and the user.
func withoutSecrets(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address[strings.LastIndexByte(address, '@')+1:]
}

// peerTags adds the other end.
func (c *call) peerTags(l *rpcspan.Tags, e endpoint) {
	if e.address == nil {
		return
	}
	l.Add(semconv.PeerAddress, e.address)
	if e.host == nil {
		return
	}
	host, port := semconv.NetworkPeerAddress, semconv.NetworkPeerPort
	if c.cfg.client {
		host, port = semconv.ServerAddress, semconv.ServerPort
	}
	l.Add(host, e.host)
	if e.port != nil {
		l.Add(port, e.port)
	}
}

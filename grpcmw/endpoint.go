package grpcmw

import (
	"net"
	"strconv"
	"strings"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// endpoint is the other end of an RPC as tags: boxed strings and an int, nil if unknown.
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

// target is where a connection goes, with its endpoint.
type target struct {
	name     string
	endpoint endpoint
}

// endpointOf remembers the target that was called last: the connections of one client mostly have one.
func (c *config) endpointOf(name string) endpoint {
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
			return rest
		}
	}
	if !absolute {
		return name
	}
	_, address, _ := strings.Cut(path, "/")
	return address
}

// target is what the connection was dialled with, "" without one.
func (c *clientCall) target() string {
	if c.cc == nil {
		return ""
	}
	return c.cc.Target()
}

// callee is what gRPC connected to if that is known, else the target.
func (c *clientCall) callee() endpoint {
	if c.told.Load() && c.remote.Addr != nil {
		return c.cfg.newEndpoint(c.remote.Addr.String())
	}
	return c.cfg.endpointOf(c.target())
}

func (c *call) peerTags(l *rpcspan.Tags, e endpoint) {
	if e.address == nil {
		return
	}
	l.Add(semconv.PeerAddress, e.address)
	if e.host == nil {
		return
	}
	host, port := semconv.NetworkPeerAddress, semconv.NetworkPeerPort
	if c.kind.client() {
		host, port = semconv.ServerAddress, semconv.ServerPort
	}
	l.Add(host, e.host)
	if e.port != nil {
		l.Add(port, e.port)
	}
}

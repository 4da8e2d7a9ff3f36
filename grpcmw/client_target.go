package grpcmw

import (
	"strings"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

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

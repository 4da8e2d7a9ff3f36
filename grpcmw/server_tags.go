package grpcmw

import (
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// callerTags adds what a server knows of its caller.
func (c *call) callerTags(l *rpcspan.Tags) {
	if p, ok := peer.FromContext(c.base); ok {
		c.peerTags(l, c.cfg.endpointOfPeer(p.Addr))
	}
	attemptTag(l, func(key string) []string { return incomingValues(c.base, key) })
	for _, tag := range c.cfg.metadata {
		tag.record(l, metadata.ValueFromIncomingContext(c.base, tag.key))
	}
}

package grpcmw

import (
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// calleeTags adds what a client knows of the server before it answers, and what it sends as metadata.
func (c *clientCall) calleeTags(l *rpcspan.Tags) {
	if name := c.peerService(c.target()); name != "" {
		l.Add(semconv.PeerService, name)
	}
	if c.out.Own == nil {
		return
	}
	attemptTag(l, func(key string) []string { return c.out.Own[key] })
	for _, tag := range c.cfg.metadata {
		tag.record(l, c.out.Own[tag.key])
	}
}

// maxTraceID is longer than any trace id.
const maxTraceID = 64

// answerTags adds what a client knows of the server at the end: the peer of the connection, or the target if the RPC
// did not come as far or the peer is not known.
func (c *clientCall) answerTags(l *rpcspan.Tags) {
	if c.answered && c.remote.Addr != nil {
		c.peerTags(l, c.cfg.endpointOfPeer(c.remote.Addr))
	} else {
		c.peerTags(l, c.cfg.endpointOfTarget(c.target()))
	}
	if c.answered && c.cfg.traceIDTrailer != "" {
		if id := c.trailer.Get(c.cfg.traceIDTrailer); len(id) > 0 && id[0] != "" {
			l.Add(semconv.GRPCServerTraceID, model.Cut(id[0], maxTraceID))
		}
	}
	if c.dropped > 0 {
		l.Add(semconv.DroppedMetadata, int(c.dropped))
	}
}

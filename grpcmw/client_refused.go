package grpcmw

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// A connection knows how large a header list its server accepts, and gRPC refuses to send an RPC whose own is larger.
// No public function returns that limit, so it is read from the error. The RPC is then made once more with less of what
// was added to the caller's metadata, and the limit is remembered.

// refusal is the limit of the server that was called last of those whose limits were exceeded.
type refusal struct {
	target string
	limit  int
}

// refusedText precedes the limit in gRPC's error. TestServersWithSmallHeaderLists fails if a version of gRPC words it
// in another way.
const refusedText = "header list size to send violates the maximum size ("

// refusedLimit returns the limit that err names, or 0 if err is another error.
func refusedLimit(err error) int {
	s := statusIn(err)
	if s.code != codes.Internal {
		return 0
	}
	_, after, _ := strings.Cut(s.message, refusedText)
	digits, _, _ := strings.Cut(after, " ")
	limit, _ := strconv.Atoi(digits)
	return limit
}

// limitFor returns how large the header list of an RPC may be whose headers have this size without what is added: as
// the server said, or else as servers accept for sure if they accept that.
func (c *clientCall) limitFor(size int) int {
	if r := c.cfg.refusal.Load(); r != nil && r.target == c.target() {
		return r.limit
	}
	return headerListFor(size)
}

// lighten returns the context with which to make an RPC once more that gRPC has refused to send: without baggage and
// tracestate, and if that is refused, too, with the caller's metadata alone. It returns nil if err is another error, or
// if the caller's metadata would be refused by itself. ctx is the caller's, and sent is the one that was refused.
//
// The RPC must not have been sent: a server may return the error of an RPC that it made itself.
func (c *clientCall) lighten(ctx, sent context.Context, err error) context.Context {
	limit := refusedLimit(err)
	if limit <= 0 || c.cc == nil {
		return nil
	}
	before, _ := metadata.FromOutgoingContext(ctx)
	md, _ := metadata.FromOutgoingContext(sent)
	if metadataSize(before) > limit || maps.EqualFunc(md, before, slices.Equal) {
		return nil
	}
	c.cfg.refusal.Store(&refusal{target: c.target(), limit: limit})
	dropped := c.dropped
	if c.fitMetadata(md, before); c.dropped > dropped {
		return metadata.NewOutgoingContext(sent, md)
	}
	for key := range md {
		if !slices.Equal(md[key], before[key]) {
			c.dropped++
		}
	}
	return metadata.NewOutgoingContext(sent, before)
}

// invokeLighter makes a unary RPC that failed with err once more, as often as lighten returns a context for it. If gRPC
// knows a peer, the RPC was sent. With an interceptor in between, direct is false and that is not known: the limit is
// remembered for the next RPC.
func (c *clientCall) invokeLighter(
	ctx, sent context.Context, err error, direct bool, invoke func(ctx context.Context) error,
) error {
	for err != nil && c.remote.Addr == nil {
		if sent = c.lighten(ctx, sent, err); sent == nil || !direct {
			break
		}
		err = invoke(sent)
	}
	return err
}

// openLighter is invokeLighter for a stream. One that could not be opened has sent nothing.
func (c *clientCall) openLighter(
	ctx, sent context.Context, err error, open func(ctx context.Context) (grpc.ClientStream, error),
) (cs grpc.ClientStream, _ error) {
	for err != nil {
		if sent = c.lighten(ctx, sent, err); sent == nil {
			break
		}
		c.mu.Lock()
		c.streamEnd.attempt, c.streamEnd.attempted = nil, false // a stream that was refused has no part in the end
		c.mu.Unlock()
		cs, err = open(sent)
	}
	return cs, err
}

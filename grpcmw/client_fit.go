package grpcmw

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/internal/header"
)

// maxHeaderList is the size of the header list that servers of most gRPC implementations accept by default, those of
// Java and C++ among them: 8 KiB, counted as in https://www.rfc-editor.org/rfc/rfc9113#name-defined-settings. Servers
// refuse the whole RPC if it is larger. So an RPC that fits without what the kit adds has to fit with it. If the
// caller's own metadata is larger already, the server evidently accepts more, and the next power of two counts.
const maxHeaderList = 8 << 10

const (
	headerOverhead = 32      // bytes that a header counts in addition to its name and value
	reservedSize   = 1 << 10 // for the headers of gRPC itself and of call credentials
	smallSize      = 384     // of keys and values: no more than those of the formats without baggage and tracestate
)

// fit drops what a tracer has added to the caller's metadata beyond what the server accepts. ctx has that metadata.
func (c *clientCall) fit(ctx context.Context) {
	if c.out.Written() <= smallSize ||
		c.restSize()+pairsSize(c.out.Added())+metadataSize(c.out.Own) <= c.limitFor(0) {
		return
	}
	if c.out.Own == nil {
		c.out.Own = metadata.Pairs(c.out.Added()...)
	}
	before, _ := metadata.FromOutgoingContext(ctx)
	c.fitMetadata(c.out.Own, before)
}

// fitMetadata drops what md has more than before, which is the caller's, until it fits: first baggage items with keys
// of their own, then members at the end of the baggage list, then tracestate. A list that the caller began is dropped
// as a whole, so that it is the caller's again. What is dropped is counted.
func (c *clientCall) fitMetadata(md, before metadata.MD) {
	limit := c.limitFor(c.restSize() + metadataSize(before))
	for _, isPart := range [...]func(key string) bool{isBaggageItem, isBaggageList, isTraceState} {
		excess := c.restSize() + metadataSize(md) - limit
		if excess <= 0 {
			return
		}
		for key, values := range md {
			if !isPart(key) || slices.Equal(values, before[key]) {
				continue
			}
			c.dropped++
			if isBaggageList(key) && len(values) == 1 && len(before[key]) == 0 {
				if short := shorten(values[0], len(values[0])-excess); short != "" {
					md[key] = []string{short}
					continue
				}
			}
			restore(md, before, key)
		}
	}
}

func restore(md, before metadata.MD, key string) {
	if values, ok := before[key]; ok && !isTraceState(key) { // the caller's is that of another traceparent
		md[key] = values
	} else {
		delete(md, key)
	}
}

// restSize returns about how large the headers are that gRPC sends itself.
func (c *clientCall) restSize() int { return reservedSize + len(c.method.full) + len(c.target()) }

// headerListFor returns the limit that a server has for sure if it accepts a header list of this size.
func headerListFor(size int) (limit int) {
	for limit = maxHeaderList; limit < size; limit *= 2 {
	}
	return limit
}

func pairsSize(pairs []string) (size int) {
	for i := 0; i < len(pairs); i += 2 {
		size += len(pairs[i]) + len(pairs[i+1]) + headerOverhead
	}
	return size
}

func metadataSize(md metadata.MD) (size int) {
	for key, values := range md {
		for _, value := range values {
			n := len(value)
			if header.IsBinary(key) {
				n = (n*4 + 2) / 3 // of base64
			}
			size += len(key) + n + headerOverhead
		}
	}
	return size
}

// isBaggageItem reports whether a key is that of one baggage item, in the styles of Jaeger and Zipkin.
func isBaggageItem(key string) bool {
	return strings.HasPrefix(key, "uberctx-") || strings.HasPrefix(key, "baggage-")
}

func isBaggageList(key string) bool { return key == "baggage" }

func isTraceState(key string) bool { return key == "tracestate" }

// shorten returns the members of a baggage list that fit into size bytes.
func shorten(list string, size int) string {
	if size <= 0 {
		return ""
	}
	if i := strings.LastIndexByte(list[:min(size+1, len(list))], ','); i >= 0 {
		return list[:i]
	}
	return ""
}

package grpcmw

import (
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"
)

// maxHeaderList is the size of the header list that servers of most gRPC implementations accept by default, those of
// Java and C++ among them: 8 KiB, counted as in https://www.rfc-editor.org/rfc/rfc9113#name-defined-settings. Servers
// refuse the whole RPC if it is larger. So an RPC that fits without what the kit adds has to fit with it. If the
// caller's own metadata is larger already, the server evidently accepts more, and the next power of two counts.
const maxHeaderList = 8 << 10

const (
	headerOverhead = 32      // bytes that a header counts in addition to its name and value
	reservedSize   = 1 << 10 // for the headers of gRPC itself and of call credentials
	smallSize      = 512     // of the pairs of the formats without baggage and tracestate
)

// fit drops what is too much of pairs, which a tracer adds to the caller's metadata: first baggage with a key for each
// item, then members at the end of the baggage list, then tracestate. It counts what it drops.
func (c *clientCall) fit(pairs []string) []string {
	size := pairsSize(pairs)
	if size <= smallSize {
		return pairs
	}
	rest := c.restSize() + metadataSize(c.own)
	room := c.limitFor(rest) - rest
	if size > room {
		kept := pairs[:0]
		for i := 0; i < len(pairs); i += 2 {
			if isBaggageItem(pairs[i]) {
				c.dropped++
				continue
			}
			kept = append(kept, pairs[i], pairs[i+1])
		}
		pairs, size = kept, pairsSize(kept)
	}
	if i := keyIndex(pairs, "baggage"); i >= 0 && size > room {
		short := shorten(pairs[i+1], len(pairs[i+1])-(size-room))
		c.dropped++
		size -= len(pairs[i+1]) - len(short)
		if pairs[i+1] = short; short == "" {
			pairs = slices.Delete(pairs, i, i+2)
			size -= len("baggage") + headerOverhead
		}
	}
	if i := keyIndex(pairs, "tracestate"); i >= 0 && size > room {
		c.dropped++
		pairs = slices.Delete(pairs, i, i+2)
	}
	return pairs
}

// fitReplaced is fit for metadata into which a tracer has written. before is the caller's. What it has of others'
// baggage stays, and the tracer's goes as a whole: first items with keys of their own, then the list, then tracestate.
func (c *clientCall) fitReplaced(md, before metadata.MD) {
	limit := c.limitFor(c.restSize() + metadataSize(before))
	for _, isPart := range [...]func(key string) bool{isBaggageItem, isBaggageList, isTraceState} {
		if c.restSize()+metadataSize(md) <= limit {
			return
		}
		for key := range md {
			if isPart(key) && !slices.Equal(md[key], before[key]) {
				c.dropped++
				restore(md, before, key)
			}
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
			if strings.HasSuffix(key, "-bin") {
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

func keyIndex(pairs []string, key string) int {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == key {
			return i
		}
	}
	return -1
}

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

package otlp

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// AppendRequest appends an ExportTraceServiceRequest with spans, each as AppendSpan wrote it, that come from p. It
// is the body of a POST to /v1/traces, and the message of the gRPC call.
func AppendRequest(dst []byte, p *model.Process, spans [][]byte) []byte {
	head := appendResource(nil, p)
	scope := appendScope(nil)
	scopeSpans := len(scope) + total(spans)
	resourceSpans := len(head) + sizeField(scopeSpans)
	dst = slices.Grow(dst, sizeField(resourceSpans))
	dst = protowire.AppendTag(dst, requestResourceSpans, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(resourceSpans))
	dst = append(dst, head...)
	dst = protowire.AppendTag(dst, resourceSpansScopeSpans, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(scopeSpans))
	dst = append(dst, scope...)
	for _, s := range spans {
		dst = append(dst, s...)
	}
	return dst
}

// Overhead returns how many bytes AppendRequest adds, at most, to the spans of one request from p.
func Overhead(p *model.Process) int {
	const lengths = 2 * (1 + 10)
	return len(appendResource(nil, p)) + len(appendScope(nil)) + lengths
}

func appendResource(dst []byte, p *model.Process) []byte {
	dst, at := begin(dst, resourceSpansResource)
	if p.Service != "" {
		dst = appendTag(dst, resourceAttributes, &model.Tag{Key: tagService, Value: model.String(p.Service)})
	}
	for i := range p.Tags {
		if t := &p.Tags[i]; t.Key != tagService {
			dst = appendTag(dst, resourceAttributes, t)
		}
	}
	return end(dst, at)
}

func appendScope(dst []byte) []byte {
	dst, at := begin(dst, scopeSpansScope)
	return end(appendText(dst, scopeName, scopeOfKit), at)
}

func total(spans [][]byte) (n int) {
	for _, s := range spans {
		n += len(s)
	}
	return n
}

// sizeField is the size of a length-delimited field of n bytes; every such field here has a one-byte tag.
func sizeField(n int) int { return 1 + protowire.SizeBytes(n) }

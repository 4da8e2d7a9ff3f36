package otlp

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// AppendRequest appends an ExportTraceServiceRequest with spans, each as [AppendSpan] wrote it, that come from p. It
// is the body of a POST to /v1/traces, and the message of the gRPC call.
func AppendRequest(dst []byte, p *model.Process, spans [][]byte) []byte {
	head := appendResource(nil, p)
	var kits scopeGroup // nearly always the only one
	var others []scopeGroup
	for _, s := range spans {
		n := scopeBytes(s)
		g := &kits
		if n > 0 {
			g = groupOf(&others, s[:n])
		}
		g.spans = append(g.spans, s[n:])
	}
	kits.scope = appendScope(nil)
	resourceSpans := len(head)
	for _, g := range others {
		resourceSpans += sizeField(g.size())
	}
	if len(kits.spans) > 0 || len(others) == 0 {
		resourceSpans += sizeField(kits.size())
		others = append(others, kits)
	}
	dst = slices.Grow(dst, sizeField(resourceSpans))
	dst = protowire.AppendTag(dst, requestResourceSpans, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(resourceSpans))
	dst = append(dst, head...)
	for _, g := range others {
		dst = g.append(dst)
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

// sizeField is the size of a length-delimited field of n bytes; every such field here has a one-byte tag.
func sizeField(n int) int { return 1 + protowire.SizeBytes(n) }

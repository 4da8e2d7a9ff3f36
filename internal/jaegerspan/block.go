package jaegerspan

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// A block is a span in one allocation with its reference and spare capacity for its tags. The numbers of tags are
// those with which the blocks fill the size classes of Go's allocator.
type (
	block0 struct {
		blockHeader
	}
	block5 struct {
		blockHeader
		tags [5]opentracing.Tag
	}
	block9 struct {
		blockHeader
		tags [9]opentracing.Tag
	}
	block13 struct {
		blockHeader
		tags [13]opentracing.Tag
	}
	block17 struct {
		blockHeader
		tags [17]opentracing.Tag
	}
)

type blockHeader struct {
	span      jaeger.Span
	reference [1]jaeger.Reference
}

// fields returns the span of the block, with the block's memory as capacity of its lists.
func (b *blockHeader) fields(tags []opentracing.Tag) *Span {
	s := Fields(&b.span)
	s.References, s.Tags = b.reference[:0], tags[:0]
	return s
}

// New returns an empty span with capacity for one reference and for a number of tags. The list of a span that gets
// more tags grows as slices do.
func New(tags int) *Span {
	switch {
	case tags == 0:
		return (&block0{}).fields(nil)
	case tags <= 5:
		b := &block5{}
		return b.fields(b.tags[:])
	case tags <= 9:
		b := &block9{}
		return b.fields(b.tags[:])
	case tags <= 13:
		b := &block13{}
		return b.fields(b.tags[:])
	}
	b := &block17{}
	return b.fields(b.tags[:])
}

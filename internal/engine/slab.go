package engine

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// A span that is recorded is one piece of memory with its reference and room for its tags. With these numbers of tags
// the pieces fill their size classes.
type (
	slab5 struct {
		front
		tags [5]opentracing.Tag
	}
	slab9 struct {
		front
		tags [9]opentracing.Tag
	}
	slab13 struct {
		front
		tags [13]opentracing.Tag
	}
	slab17 struct {
		front
		tags [17]opentracing.Tag
	}
)

type front struct {
	span      jaeger.Span
	reference [1]jaeger.Reference
}

func (f *front) with(tags []opentracing.Tag) *span {
	s := fieldsOf(&f.span)
	s.references, s.tags = f.reference[:0], tags[:0]
	return s
}

// newSpan returns a span with room for a number of tags; with more their list grows.
func newSpan(tags int) *span {
	switch {
	case tags <= 5:
		b := &slab5{}
		return b.with(b.tags[:])
	case tags <= 9:
		b := &slab9{}
		return b.with(b.tags[:])
	case tags <= 13:
		b := &slab13{}
		return b.with(b.tags[:])
	}
	b := &slab17{}
	return b.with(b.tags[:])
}

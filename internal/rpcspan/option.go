package rpcspan

import (
	"maps"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// option is how a tracer is told what a span starts with. The arrays save allocations.
type option struct {
	tags map[string]any
	refs [1]opentracing.SpanReference
	opts [1]opentracing.StartSpanOption // itself
}

// startOptions lets tracers of jaeger-client-go have the tags themselves, which they only read. Others may keep the map and
// get one of their own.
func startOptions(tracer opentracing.Tracer, kind *Kind, parent *Parent) []opentracing.StartSpanOption {
	o := &option{tags: kind.tags}
	if _, stock := tracer.(*jaeger.Tracer); !stock && engine.Of(tracer) == nil {
		o.tags = maps.Clone(o.tags)
	}
	o.refs[0] = opentracing.SpanReference{Type: opentracing.ChildOfRef, ReferencedContext: parent.Context()}
	o.opts[0] = o
	return o.opts[:]
}

// Apply implements opentracing.StartSpanOption.
func (o *option) Apply(all *opentracing.StartSpanOptions) {
	all.Tags = o.tags
	if o.refs[0].ReferencedContext != nil {
		all.References = o.refs[:]
	}
}

// Reference tells the parent; its context is nil for a root.
func (o *option) Reference() opentracing.SpanReference { return o.refs[0] }

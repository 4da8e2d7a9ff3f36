package rpcspan

import (
	"maps"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// startOption passes the start tags and the parent to a tracer's StartSpan. The arrays save allocations.
type startOption struct {
	tags map[string]any
	refs [1]opentracing.SpanReference
	opts [1]opentracing.StartSpanOption // the option itself
}

// startOptions returns the options of a span. Tracers of jaeger-client-go only read the map of tags, so they share it;
// other tracers may keep it and get a copy of their own.
func startOptions(tracer opentracing.Tracer, tags *StartTags, parent *Parent) []opentracing.StartSpanOption {
	o := &startOption{tags: tags.tags}
	if _, stock := tracer.(*jaeger.Tracer); !stock && engine.Of(tracer) == nil {
		o.tags = maps.Clone(o.tags)
	}
	o.refs[0] = opentracing.SpanReference{Type: opentracing.ChildOfRef, ReferencedContext: parent.Context()}
	o.opts[0] = o
	return o.opts[:]
}

// Apply implements [opentracing.StartSpanOption].
func (o *startOption) Apply(all *opentracing.StartSpanOptions) {
	all.Tags = o.tags
	if o.refs[0].ReferencedContext != nil {
		all.References = o.refs[:]
	}
}

// Reference returns the reference to the parent. Its context is nil for a root span.
func (o *startOption) Reference() opentracing.SpanReference { return o.refs[0] }

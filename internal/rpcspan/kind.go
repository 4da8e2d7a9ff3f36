package rpcspan

import (
	"maps"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
)

// Kind is what all spans of one middleware start with: at most two tags, since jaeger-client-go forgets the
// sampler's tags of a root span that starts with more.
type Kind struct {
	tags map[string]any
	full map[string]any // nil: no more than tags
}

// NewKind boxes the tags once.
func NewKind(kind ext.SpanKindEnum, component string) *Kind {
	return &Kind{tags: map[string]any{string(ext.SpanKind): kind, string(ext.Component): component}}
}

// Silent is k for a request below which nothing is to be sampled.
func (k *Kind) Silent() *Kind {
	return &Kind{tags: map[string]any{
		string(ext.SpanKind): k.tags[string(ext.SpanKind)], string(ext.Component): k.tags[string(ext.Component)],
		string(ext.SamplingPriority): uint16(0),
	}}
}

// With is k for spans that share these tags, too. They are set at the start, for less than half of what setting them
// one by one costs, where the parent is sampled: no sampler has a say there, and no sampler's tags get lost.
func (k *Kind) With(tags []opentracing.Tag) *Kind {
	full := maps.Clone(k.tags)
	for _, tag := range tags {
		full[tag.Key] = tag.Value
	}
	return &Kind{tags: k.tags, full: full}
}

// underSampled reports whether a child of parent is sampled whatever the sampler says.
func underSampled(parent opentracing.SpanContext) bool {
	sc, ok := parent.(jaeger.SpanContext)
	return ok && sc.IsValid() && sc.IsSampled()
}

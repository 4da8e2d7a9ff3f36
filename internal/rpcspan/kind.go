package rpcspan

import (
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
)

// Kind is what all spans of one middleware start with: at most two tags, since jaeger-client-go forgets the
// sampler's tags of a root span that starts with more.
type Kind struct {
	tags map[string]any
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

// KindOf sorts the tags that a user wants on all spans: of several with one key the last counts, component replaces
// the given one, kind and error are not the user's to set. It returns the kind, the others, and their keys (nil if
// there are none).
func KindOf(kind ext.SpanKindEnum, component string, tags []opentracing.Tag) (k *Kind, own []opentracing.Tag, taken map[string]bool) {
	for i, tag := range tags {
		later := slices.ContainsFunc(tags[i+1:], func(t opentracing.Tag) bool { return t.Key == tag.Key })
		switch s, isString := tag.Value.(string); {
		case later || tag.Key == string(ext.SpanKind) || tag.Key == string(ext.Error):
		case tag.Key == string(ext.Component) && isString:
			component = s
		default:
			own = append(own, tag)
		}
	}
	if len(own) > 0 {
		taken = make(map[string]bool, len(own))
		for _, tag := range own {
			taken[tag.Key] = true
		}
	}
	return NewKind(kind, component), own, taken
}

package rpcspan

import (
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
)

// Kind is what all spans of one middleware start with: what jaeger-client-go looks at. The fewer the better, and with
// more than two it forgets the sampler's tags of a root span.
type Kind struct {
	tags   map[string]any
	list   []opentracing.Tag // tags, unless they ask for sampling
	server bool
}

// NewKind boxes the tag once.
func NewKind(kind ext.SpanKindEnum) *Kind {
	tag := opentracing.Tag{Key: string(ext.SpanKind), Value: kind}
	return &Kind{tags: map[string]any{tag.Key: tag.Value}, list: []opentracing.Tag{tag}, server: kind == ext.SpanKindRPCServerEnum}
}

// Silent is k for a request below which nothing is to be sampled.
func (k *Kind) Silent() *Kind {
	return &Kind{tags: map[string]any{
		string(ext.SpanKind): k.tags[string(ext.SpanKind)], string(ext.SamplingPriority): uint16(0),
	}}
}

// TagsOf sorts the tags that a user wants on all spans and adds the component, unless they tell one: of several with one
// key the last counts, kind and error are not the user's to set. It returns the keys of the user's tags, too, nil if there
// are none.
func TagsOf(component string, tags []opentracing.Tag) (all []opentracing.Tag, taken map[string]bool) {
	var own []opentracing.Tag
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
	return append([]opentracing.Tag{{Key: string(ext.Component), Value: component}}, own...), taken
}

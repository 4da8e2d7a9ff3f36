package rpcspan

import (
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/engine"
)

// StartTags are the tags that all spans of one middleware are started with: those that jaeger-client-go reads at the
// start. There are at most two, because with three jaeger-client-go drops the sampler's tags of a root span.
type StartTags struct {
	tags   map[string]any
	list   []opentracing.Tag // the same tags; nil if sampling.priority is one of them
	server bool
}

// NewStartTags returns the start tags of spans of one kind.
func NewStartTags(kind ext.SpanKindEnum) *StartTags {
	tag := opentracing.Tag{Key: string(ext.SpanKind), Value: kind}
	return &StartTags{
		tags:   map[string]any{tag.Key: tag.Value},
		list:   []opentracing.Tag{tag},
		server: kind == ext.SpanKindRPCServerEnum,
	}
}

// Unsampled returns the start tags of a request that is not sampled, nor is anything below it.
func (t *StartTags) Unsampled() *StartTags {
	return &StartTags{tags: map[string]any{
		string(ext.SpanKind): t.tags[string(ext.SpanKind)], string(ext.SamplingPriority): uint16(0),
	}}
}

// SharedTags are tags that spans have in common, see [engine.SharedTags].
type SharedTags = engine.SharedTags

// NewSharedTags returns the tags of spans that start with these.
func NewSharedTags(startTags *StartTags, tags []opentracing.Tag) *SharedTags {
	return engine.NewSharedTags(startTags.list, tags)
}

// UserTags returns the tags that a user wants on all spans, and the component, which the user may override with a
// string. Of several tags with one key the last one counts. span.kind and error are left out: they are not the user's
// to set. userKeys are the keys of the user's tags, nil if there are none.
func UserTags(component string, tags []opentracing.Tag) (all []opentracing.Tag, userKeys map[string]bool) {
	var user []opentracing.Tag
	for i, tag := range tags {
		overridden := slices.ContainsFunc(tags[i+1:], func(t opentracing.Tag) bool { return t.Key == tag.Key })
		switch s, isString := tag.Value.(string); {
		case overridden || tag.Key == string(ext.SpanKind) || tag.Key == string(ext.Error):
		case tag.Key == string(ext.Component) && isString:
			component = s
		default:
			user = append(user, tag)
		}
	}
	if len(user) > 0 {
		userKeys = make(map[string]bool, len(user))
		for _, tag := range user {
			userKeys[tag.Key] = true
		}
	}
	return append([]opentracing.Tag{{Key: string(ext.Component), Value: component}}, user...), userKeys
}

package engine

import (
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
)

// SetTagsWithin sets tags of any key, sampling.priority included, which has no effect here, and keeps no more than
// limit tags beside those that spared selects. Once there are that many, a tag replaces the one of its key, and other
// tags are dropped. A negative limit is none. ok is false, and nothing is done, if that is not possible.
func SetTagsWithin(
	j *jaeger.Span, limit int, spared func(key string) bool, tags ...opentracing.Tag,
) (dropped int, ok bool) {
	if Observed(j) {
		return 0, false
	}
	s := jaegerspan.Fields(j)
	if limit < 0 || fits(s, limit, len(tags)) {
		_, ok = appendTags(s, tags, 0)
		return 0, ok
	}
	s.Lock()
	defer s.Unlock()
	if !s.Context.SamplingState.Sampled() {
		return 0, s.Context.SamplingState.IsFinal()
	}
	index := compact(s)
	for id := range index {
		if !id.literal && spared(id.key) {
			limit++
		}
	}
	for _, tag := range tags {
		id := idOf(&tag)
		i, exists := index[id]
		switch {
		case exists:
			s.Tags[i] = tag
		case len(s.Tags) < limit:
			index[id] = len(s.Tags)
			s.Tags = append(s.Tags, tag)
		default:
			dropped++
		}
	}
	return dropped, true
}

// tagID is what a span has one tag of: a key, and whether the value stands for itself, so that it does not replace a
// tag of this key that has a meaning.
type tagID struct {
	key     string
	literal bool
}

func idOf(t *opentracing.Tag) tagID {
	v, ok := t.Value.(interface{ IsLiteral() bool })
	return tagID{t.Key, ok && v.IsLiteral()}
}

func fits(s *jaegerspan.Span, limit, more int) bool {
	s.RLock()
	defer s.RUnlock()
	return len(s.Tags)+more <= limit
}

// compact leaves one tag of each key, the last one in the place of the first, and returns the places.
func compact(s *jaegerspan.Span) map[tagID]int {
	index := make(map[tagID]int, len(s.Tags))
	unique := make([]opentracing.Tag, 0, cap(s.Tags))
	for _, tag := range s.Tags {
		id := idOf(&tag)
		if i, exists := index[id]; exists {
			unique[i] = tag
			continue
		}
		index[id] = len(unique)
		unique = append(unique, tag)
	}
	s.Tags = unique
	return index
}

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
	for key := range index {
		if spared(key) {
			limit++
		}
	}
	for _, tag := range tags {
		i, exists := index[tag.Key]
		switch {
		case exists:
			s.Tags[i] = tag
		case len(s.Tags) < limit:
			index[tag.Key] = len(s.Tags)
			s.Tags = append(s.Tags, tag)
		default:
			dropped++
		}
	}
	return dropped, true
}

func fits(s *jaegerspan.Span, limit, more int) bool {
	s.RLock()
	defer s.RUnlock()
	return len(s.Tags)+more <= limit
}

// compact leaves one tag of each key, the last one in the place of the first, and returns the places.
func compact(s *jaegerspan.Span) map[string]int {
	index := make(map[string]int, len(s.Tags))
	unique := make([]opentracing.Tag, 0, cap(s.Tags))
	for _, tag := range s.Tags {
		if i, exists := index[tag.Key]; exists {
			unique[i] = tag
			continue
		}
		index[tag.Key] = len(unique)
		unique = append(unique, tag)
	}
	s.Tags = unique
	return index
}

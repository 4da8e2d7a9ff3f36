package engine

import (
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
)

// Recording reports whether tags can still matter: false once the span is known not to be sampled.
func Recording(j *jaeger.Span) bool {
	if !known() {
		sc := j.SpanContext()
		return sc.IsSampled() || !sc.IsSamplingFinalized()
	}
	j.RLock()
	defer j.RUnlock()
	state := fieldsOf(j).context.samplingState
	return state.sampled() || !state.finalized()
}

// typicalTags is how many more tags a span gets once its list grows.
const typicalTags = 8

// SetTags does what j.SetTag does with each of the tags, and reports what Recording does.
func SetTags(j *jaeger.Span, tags ...opentracing.Tag) (recording bool) {
	if known() && fieldsOf(j).observer == deaf() && !slices.ContainsFunc(tags, setsPriority) {
		if recording, ok := fieldsOf(j).setTags(tags); ok {
			return recording
		}
	}
	for _, tag := range tags {
		j.SetTag(tag.Key, tag.Value)
	}
	return Recording(j)
}

func setsPriority(tag opentracing.Tag) bool { return tag.Key == string(ext.SamplingPriority) }

// setTags adds tags if the span is sampled. It is not ok if its sampler has yet to be asked.
func (s *span) setTags(tags []opentracing.Tag) (sampled, ok bool) {
	s.Lock()
	defer s.Unlock()
	if state := s.context.samplingState; !state.finalized() || !state.sampled() {
		return false, state.finalized()
	}
	if cap(s.tags)-len(s.tags) < len(tags) {
		s.tags = append(make([]opentracing.Tag, 0, len(s.tags)+max(len(tags), len(s.tags), typicalTags)), s.tags...)
	}
	s.tags = append(s.tags, tags...)
	return true, true
}

// ReadTags calls read with the span's tags in the order in which they were set, of which later ones with the same key
// count, under the span's lock, and reports whether it could. Read must not keep the list nor change it.
func ReadTags(j *jaeger.Span, read func(tags []opentracing.Tag)) bool {
	if !known() {
		return false
	}
	j.RLock()
	defer j.RUnlock()
	read(fieldsOf(j).tags)
	return true
}

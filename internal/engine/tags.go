package engine

import (
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
)

// Recording reports whether tags and logs of j can still matter: false once the span is known not to be sampled.
func Recording(j *jaeger.Span) bool {
	if !jaegerspan.LayoutMatches() {
		sc := j.SpanContext()
		return sc.IsSampled() || !sc.IsSamplingFinalized()
	}
	j.RLock()
	defer j.RUnlock()
	state := jaegerspan.Fields(j).Context.SamplingState
	return state.Sampled() || !state.IsFinal()
}

// Observed reports whether observers of the tracer see the tags of j, sampled or not. It is true where that is unknown.
func Observed(j *jaeger.Span) bool {
	// The observer is set once, before the span is handed out.
	return !jaegerspan.LayoutMatches() || jaegerspan.Fields(j).Observer != jaegerspan.NoopObserver()
}

// minTagGrowth is how many more tags a list can take, at least, after it has grown.
const minTagGrowth = 8

// SetFirstTags is SetTags for a new span that will get about so many more tags.
func SetFirstTags(j *jaeger.Span, spare int, tags ...opentracing.Tag) (recording bool) {
	if !Observed(j) && !slices.ContainsFunc(tags, isSamplingPriority) {
		if recording, ok := appendTags(jaegerspan.Fields(j), tags, len(tags)+spare); ok {
			return recording
		}
	}
	return SetTags(j, tags...)
}

// SetTags calls SetTag of j for each of the tags, or has the same effect, and returns the result of [Recording].
func SetTags(j *jaeger.Span, tags ...opentracing.Tag) (recording bool) {
	if !Observed(j) && !slices.ContainsFunc(tags, isSamplingPriority) {
		if recording, ok := appendTags(jaegerspan.Fields(j), tags, 0); ok {
			return recording
		}
	}
	for _, tag := range tags {
		j.SetTag(tag.Key, tag.Value)
	}
	return Recording(j)
}

func isSamplingPriority(tag opentracing.Tag) bool { return tag.Key == string(ext.SamplingPriority) }

// appendTags appends tags if the span is sampled, to a list with room for at least so many, or as appending to it again
// and again requires. ok is false if the span's sampler is yet to be consulted.
func appendTags(s *jaegerspan.Span, tags []opentracing.Tag, room int) (sampled, ok bool) {
	s.Lock()
	defer s.Unlock()
	if state := s.Context.SamplingState; !state.IsFinal() || !state.Sampled() {
		return false, state.IsFinal()
	}
	if room == 0 && cap(s.Tags)-len(s.Tags) < len(tags) {
		room = max(len(tags), len(s.Tags), minTagGrowth)
	}
	if cap(s.Tags)-len(s.Tags) < room {
		s.Tags = append(make([]opentracing.Tag, 0, len(s.Tags)+room), s.Tags...)
	}
	s.Tags = append(s.Tags, tags...)
	return true, true
}

// ReadTags calls read with the tags of j in the order in which they were set, under the span's lock, and reports
// whether it could. Of several tags with one key the last one counts. read must neither keep the list nor change it.
func ReadTags(j *jaeger.Span, read func(tags []opentracing.Tag)) bool {
	if !jaegerspan.LayoutMatches() {
		return false
	}
	j.RLock()
	defer j.RUnlock()
	read(jaegerspan.Fields(j).Tags)
	return true
}

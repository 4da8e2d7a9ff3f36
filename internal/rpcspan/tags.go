package rpcspan

import (
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/semconv"
)

// Tags collects tags of a span, so that [Tags.Flush] or [Span.Finish] can set them at once. Tags whose keys are in
// UserKeys are left out, because the user has set them on all spans.
type Tags struct {
	Span       *Span
	Vocabulary semconv.Vocabulary
	UserKeys   map[string]bool
	Shared     *SharedTags // that the span may have started with, if others will probably end with the same tags; or nil

	n    int
	list [10]opentracing.Tag // an array, so that Tags can stay on the stack
}

// Add adds a tag under its names in the vocabulary, which may be none.
func (l *Tags) Add(tag *semconv.Tag, value any) {
	first, second := tag.Keys(l.Vocabulary)
	if first != "" {
		l.Set(first, value)
	}
	if second != "" {
		l.Set(second, value)
	}
}

// Set adds a tag whose key is not fixed.
func (l *Tags) Set(key string, value any) {
	if l.UserKeys != nil && l.UserKeys[key] {
		return
	}
	if l.n == len(l.list) {
		l.Flush()
	}
	l.list[l.n] = opentracing.Tag{Key: key, Value: value}
	l.n++
}

// Flush sets the tags that were collected and empties the list.
func (l *Tags) Flush() {
	if l.n > 0 {
		l.Span.SetTags(l.list[:l.n]...)
		l.n = 0
	}
}

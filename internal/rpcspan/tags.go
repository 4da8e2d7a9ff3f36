package rpcspan

import "github.com/opentracing/opentracing-go"

// Tags collects tags of a span, so that [Tags.Flush] or [Span.Finish] can set them at once. Tags whose keys are in
// UserKeys are left out, because the user has set them on all spans.
type Tags struct {
	Span     *Span
	UserKeys map[string]bool

	n    int
	list [10]opentracing.Tag // an array, so that Tags can stay on the stack
}

// Tags returns an empty list.
func (s *Span) Tags(userKeys map[string]bool) Tags { return Tags{Span: s, UserKeys: userKeys} }

// Set adds a tag.
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

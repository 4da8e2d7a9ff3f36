package rpcspan

import "github.com/opentracing/opentracing-go"

// Tags collects tags of Span, to set them at once with Flush or Span.Finish. Those with keys that are taken are left out: a
// user has set them on all spans.
type Tags struct {
	Span  *Span
	Taken map[string]bool

	n    int
	list [10]opentracing.Tag // no slice, so that Tags can stay on the stack
}

// Tags returns a list that is empty.
func (s *Span) Tags(taken map[string]bool) Tags { return Tags{Span: s, Taken: taken} }

// Set adds a tag.
func (l *Tags) Set(key string, value any) {
	if l.Taken != nil && l.Taken[key] {
		return
	}
	if l.n == len(l.list) {
		l.Flush()
	}
	l.list[l.n] = opentracing.Tag{Key: key, Value: value}
	l.n++
}

// Flush sets the tags.
func (l *Tags) Flush() {
	if l.n > 0 {
		l.Span.SetTags(l.list[:l.n]...)
		l.n = 0
	}
}

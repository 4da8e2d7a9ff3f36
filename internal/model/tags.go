package model

import (
	"reflect"
	"slices"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// maxScannedTags bounds the search for an earlier tag of the same key; jaeger.Span.Tags serves spans with more.
const maxScannedTags = 64

// spanTags is the index of the field of jaeger.Span that holds its tags, or -1 if it is not what it used to be.
// Reading it saves the map that jaeger.Span.Tags makes, more than half the cost of an exported span, and the order
// in which tags were set. Every read is checked by reflect, and the library is frozen.
var spanTags = findSpanTags()

func findSpanTags() int {
	f, ok := reflect.TypeFor[jaeger.Span]().FieldByName("tags")
	tag := reflect.TypeFor[jaeger.Tag]()
	if !ok || len(f.Index) != 1 || f.Type != reflect.TypeFor[[]jaeger.Tag]() || tag.NumField() != 2 ||
		tag.Field(0).Type != reflect.TypeFor[string]() || tag.Field(1).Type != reflect.TypeFor[any]() {
		return -1
	}
	return f.Index[0]
}

// loadTags fills s.Tags; of tags with the same key the last one counts, and a tag without a key is none.
func (s *Span) loadTags(src *jaeger.Span, lim Limits) (dropped int) {
	if !s.readTags(src, lim.ValueBytes) {
		s.Tags = s.Tags[:0]
		for k, v := range src.Tags() {
			if k != "" {
				s.Tags = append(s.Tags, Tag{k, ValueOf(v, lim.ValueBytes)})
			}
		}
		slices.SortFunc(s.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	}
	if lim.Tags <= 0 || len(s.Tags) <= lim.Tags {
		return 0
	}
	slices.SortStableFunc(s.Tags, func(a, b Tag) int { return tagRank(a.Key) - tagRank(b.Key) })
	dropped = len(s.Tags) - lim.Tags
	clear(s.Tags[lim.Tags:])
	s.Tags = s.Tags[:lim.Tags]
	return dropped
}

// readTags reports false if it met what only jaeger.Span.Tags can tell, such as a value with methods.
func (s *Span) readTags(src *jaeger.Span, maxBytes int) bool {
	if spanTags < 0 {
		return false
	}
	src.RLock()
	defer src.RUnlock()
	tags := reflect.ValueOf(src).Elem().Field(spanTags)
	n := tags.Len()
	if n > maxScannedTags {
		return false
	}
	for i := range n {
		tag := tags.Index(i)
		v := tag.Field(1).Elem()
		if !v.IsValid() || v.Type().NumMethod() > 0 {
			return false
		}
		value, ok := basicValue(v, maxBytes)
		if !ok {
			return false
		}
		if key := tag.Field(0).String(); key != "" {
			s.setTag(key, value)
		}
	}
	return true
}

func (s *Span) setTag(key string, v Value) {
	for i := range s.Tags {
		if s.Tags[i].Key == key {
			s.Tags[i].Value = v
			return
		}
	}
	s.Tags = append(s.Tags, Tag{key, v})
}

// tagRank tells which tags a limit spares: the lower, the longer.
func tagRank(key string) int {
	switch key {
	case "error":
		return 0
	case "span.kind", "otel.status_code":
		return 1
	}
	return 2
}

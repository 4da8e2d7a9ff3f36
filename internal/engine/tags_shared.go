package engine

import (
	"slices"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
)

// SharedTags are the tags of spans that mostly end with the same ones, such as those of the RPCs of one method that
// succeed. A span that starts with them has a list of tags that other spans have, too, and no memory for tags of its
// own, which makes it half as large. It also shares the list that it ends with, if one of the last such spans had the
// same tags. Nothing writes to a shared list, because its capacity is used up: appending a tag makes a copy.
//
// A SharedTags may be used concurrently.
type SharedTags struct {
	first []opentracing.Tag // of a span at its start
	ended [sharedEnds]atomic.Pointer[[]opentracing.Tag]
	next  atomic.Uint32 // counts lists in ended, where a new one replaces the oldest
}

// sharedEnds is for how many different ends lists are kept. They differ by the server that is called, mostly.
const sharedEnds = 8

// NewSharedTags returns the tags of spans that start with these.
func NewSharedTags(startTags, tags []opentracing.Tag) *SharedTags {
	return &SharedTags{first: slices.Clip(slices.Concat(startTags, tags))}
}

// appendLast returns list with the last tags of a span, which must be comparable. If list is not the shared one, the
// span has tags of its own. s may be nil.
func (s *SharedTags) appendLast(list, last []opentracing.Tag) []opentracing.Tag {
	if s == nil || len(list) != len(s.first) || len(list) == 0 || &list[0] != &s.first[0] {
		return append(list, last...)
	}
	for i := range s.ended {
		if all := s.ended[i].Load(); all != nil && slices.Equal((*all)[len(list):], last) {
			return *all
		}
	}
	return s.share(slices.Concat(list, last))
}

// share keeps a new list for the spans that follow.
func (s *SharedTags) share(all []opentracing.Tag) []opentracing.Tag {
	all = slices.Clip(all)
	s.ended[s.next.Add(1)%sharedEnds].Store(&all)
	return all
}

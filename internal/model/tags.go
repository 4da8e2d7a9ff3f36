package model

import (
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/engine"
)

// maxScannedTags bounds the search for an earlier tag of the same key; jaeger.Span.Tags serves spans with more.
const maxScannedTags = 64

// loadTags fills s.Tags; of tags with the same key the last one counts, and a tag without a key is none.
func (s *Span) loadTags(src *jaeger.Span, lim Limits) (dropped int) {
	if !s.readTags(src, lim.ValueBytes) {
		s.Tags = s.Tags[:0]
		for k, v := range src.Tags() {
			if k != "" {
				s.Tags = append(s.Tags, Tag{k, ValueOf(v, valueLimit(k, lim.ValueBytes))})
			}
		}
		slices.SortFunc(s.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	}
	keep := lim.Tags
	if keep == 0 || len(s.Tags) <= keep {
		return 0
	}
	slices.SortStableFunc(s.Tags, func(a, b Tag) int { return tagRank(a.Key) - tagRank(b.Key) })
	if keep < 0 {
		keep = slices.IndexFunc(s.Tags, func(t Tag) bool { return tagRank(t.Key) == ordinaryTag })
	}
	if keep < 0 {
		return 0
	}
	dropped = len(s.Tags) - keep
	clear(s.Tags[keep:])
	s.Tags = s.Tags[:keep]
	return dropped
}

// readTags reports false if it met what must not be asked under the span's lock, such as a value with methods.
func (s *Span) readTags(src *jaeger.Span, maxBytes int) bool {
	simple := true
	could := engine.ReadTags(src, func(tags []opentracing.Tag) {
		simple = len(tags) <= maxScannedTags
		for i := 0; simple && i < len(tags); i++ {
			var v Value
			if v, simple = simpleValue(tags[i].Value, valueLimit(tags[i].Key, maxBytes)); simple && tags[i].Key != "" {
				s.setTag(tags[i].Key, v)
			}
		}
	})
	return could && simple
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
	return ordinaryTag
}

const ordinaryTag = 2

// valueLimit returns the limit for the value of a tag. The values that become a span's kind and status are left whole.
func valueLimit(key string, maxBytes int) int {
	if maxBytes > 0 && maxBytes < minKindBytes && tagRank(key) != ordinaryTag {
		return minKindBytes
	}
	return maxBytes
}

const minKindBytes = 64

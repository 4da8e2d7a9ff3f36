package fromjaeger

import (
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// maxScannedTags is the number of tags up to which an earlier tag of the same key is found by looking at each.
const maxScannedTags = 64

func byKey(a, b opentracing.Tag) int { return strings.Compare(a.Key, b.Key) }

// setTag adds a tag or replaces the earlier one of its key. A tag without a key is left out.
func (l *Loader) setTag(key string, value any) {
	if key == "" || l.refused {
		return
	}
	if d, ok := value.(*model.Details); ok {
		l.addDetails(d)
		return
	}
	l.convert(&l.tag(key).Value, value, valueLimit(key, l.Limits.ValueBytes))
}

// tag returns the tag of the key, which it adds if there is none. The value of a new one is not set.
func (l *Loader) tag(key string) *model.Tag {
	i := l.find(key)
	if i >= 0 {
		return &l.Span.Tags[i]
	}
	i = len(l.Span.Tags)
	if l.index != nil {
		l.index[key] = i
	}
	if i < cap(l.Span.Tags) {
		l.Span.Tags = l.Span.Tags[:i+1]
	} else {
		l.Span.Tags = append(l.Span.Tags, model.Tag{})
	}
	l.Span.Tags[i].Key = key
	return &l.Span.Tags[i]
}

// find returns the index of the tag with the key, or -1.
func (l *Loader) find(key string) int {
	if len(l.Span.Tags) < maxScannedTags {
		return slices.IndexFunc(l.Span.Tags, func(t model.Tag) bool { return t.Key == key })
	}
	if l.index == nil {
		l.index = make(map[string]int, 2*len(l.Span.Tags))
		for i := range l.Span.Tags {
			l.index[l.Span.Tags[i].Key] = i
		}
	}
	if i, ok := l.index[key]; ok {
		return i
	}
	return -1
}

// convert converts and shortens a value into *to, which saves copying it twice. It is not ok if the value has methods
// and may not be converted now.
func (l *Loader) convert(to *model.Value, v any, maxBytes int) (ok bool) {
	cut, ok := to.SetSimple(v, maxBytes)
	if !ok && l.simpleOnly {
		l.refused = true
		return false
	}
	if !ok {
		*to, cut = model.Convert(v, maxBytes)
	}
	if cut {
		l.Span.Dropped.Values++
	}
	return true
}

// limitTags drops the tags over the limit, those with an error, the kind or the status last.
func (l *Loader) limitTags() {
	keep := l.Limits.Tags
	if keep == 0 || len(l.Span.Tags) <= keep {
		return
	}
	if keep > 0 && l.find(semconv.KeyScopeName) >= 0 {
		keep += l.fieldTags()
	}
	if len(l.Span.Tags) <= keep {
		return
	}
	slices.SortStableFunc(l.Span.Tags, func(a, b model.Tag) int { return tagRank(a.Key) - tagRank(b.Key) })
	if keep < 0 {
		keep = slices.IndexFunc(l.Span.Tags, func(t model.Tag) bool { return tagRank(t.Key) == ordinaryTag })
	}
	if keep < 0 {
		return
	}
	l.Span.Dropped.Tags += uint32(len(l.Span.Tags) - keep)
	clear(l.Span.Tags[keep:])
	l.Span.Tags = l.Span.Tags[:keep]
}

// fieldTags counts the tags that OTLP writes as fields of their own. The limit of a span that OpenTelemetry code has
// started is one of attributes, as in OpenTelemetry's SDK, and these are none.
func (l *Loader) fieldTags() (n int) {
	for i := range l.Span.Tags {
		if tagRank(l.Span.Tags[i].Key) < ordinaryTag {
			n++
		}
	}
	return n
}

const ordinaryTag = 2

// tagRank orders tags by when a limit drops them: the lower the rank, the later.
func tagRank(key string) int {
	switch key {
	case semconv.KeyError:
		return 0
	case semconv.KeySpanKind, semconv.KeyStatusCode, semconv.KeyStatusDescription,
		semconv.KeyScopeName, semconv.KeyScopeVersion:
		return 1
	}
	return ordinaryTag
}

const minKindBytes = 64

// valueLimit returns the limit for the value of a tag. The values that become a span's kind and status are left whole.
func valueLimit(key string, maxBytes int) int {
	if maxBytes > 0 && maxBytes < minKindBytes && tagRank(key) != ordinaryTag {
		return minKindBytes
	}
	return maxBytes
}

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
	literal := false
	switch v := value.(type) {
	case *model.Details:
		l.addDetails(v)
		return
	case model.Value:
		literal = v.IsLiteral()
	}
	l.convert(&l.tag(tagID{key, literal}).Value, value, valueLimit(key, l.Limits.ValueBytes))
}

// tagID is what a span has one tag of: a key, and whether the value is literal. An attribute of OpenTelemetry may be
// called like a tag that has a meaning, and does not replace it.
type tagID struct {
	key     string
	literal bool
}

func idOf(t *model.Tag) tagID { return tagID{t.Key, t.Value.IsLiteral()} }

// tag returns the tag of an id, which it adds if there is none. The value of a new one is not set.
func (l *Loader) tag(id tagID) *model.Tag {
	i := l.find(id)
	if i >= 0 {
		return &l.Span.Tags[i]
	}
	i = len(l.Span.Tags)
	if l.index != nil {
		l.index[id] = i
	}
	if i < cap(l.Span.Tags) {
		l.Span.Tags = l.Span.Tags[:i+1]
	} else {
		l.Span.Tags = append(l.Span.Tags, model.Tag{})
	}
	l.Span.Tags[i].Key = id.key
	return &l.Span.Tags[i]
}

// find returns the index of the tag with the id, or -1.
func (l *Loader) find(id tagID) int {
	if len(l.Span.Tags) < maxScannedTags {
		for i := range l.Span.Tags {
			if l.Span.Tags[i].Key == id.key && l.Span.Tags[i].Value.IsLiteral() == id.literal {
				return i
			}
		}
		return -1
	}
	if l.index == nil {
		l.index = make(map[tagID]int, 2*len(l.Span.Tags))
		for i := range l.Span.Tags {
			l.index[idOf(&l.Span.Tags[i])] = i
		}
	}
	if i, ok := l.index[id]; ok {
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
	if keep > 0 && l.find(tagID{key: semconv.KeyScopeName}) >= 0 {
		keep += l.fieldTags()
	}
	if len(l.Span.Tags) <= keep {
		return
	}
	slices.SortStableFunc(l.Span.Tags, func(a, b model.Tag) int { return rankOf(&a) - rankOf(&b) })
	if keep < 0 {
		keep = slices.IndexFunc(l.Span.Tags, func(t model.Tag) bool { return rankOf(&t) == ordinaryTag })
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
		if rankOf(&l.Span.Tags[i]) < ordinaryTag {
			n++
		}
	}
	return n
}

const ordinaryTag = 2

func rankOf(t *model.Tag) int {
	if t.Value.IsLiteral() {
		return ordinaryTag
	}
	return tagRank(t.Key)
}

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

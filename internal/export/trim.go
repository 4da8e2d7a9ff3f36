package export

import (
	"fmt"
	"slices"

	"github.com/spanloom/spanloom/internal/model"
)

// TrimmedTag marks a span that lost parts because it would not fit one message; its value says which.
const TrimmedTag = "span.trimmed"

// nameBytes is what the name of a span may have left when all else has gone.
const nameBytes = 1024

// appendTrimmed appends s without its logs and, as far as needed, without its longest tags, and with a mark.
// It returns false if s does not fit max bytes even so.
func appendTrimmed(dst []byte, to Sender, whole *model.Span, max int) ([]byte, bool) {
	logs, tags := len(whole.Logs), len(whole.Tags)
	trimmed := *whole
	s := &trimmed
	s.Logs, s.Tags = nil, slices.Clone(whole.Tags)
	slices.SortStableFunc(s.Tags, func(a, b model.Tag) int { return tagBytes(a) - tagBytes(b) })
	start := len(dst)
	for {
		lost := tags - len(s.Tags)
		mark := model.Tag{Key: TrimmedTag, Value: model.String(fmt.Sprintf("%d logs, %d tags", logs, lost))}
		s.Tags = append(s.Tags, mark)
		dst = to.AppendSpan(dst[:start], s)
		s.Tags = s.Tags[:len(s.Tags)-1]
		excess := len(dst) - start - max
		switch {
		case excess <= 0:
			return dst, true
		case len(s.Tags) > 0:
			for excess > 0 && len(s.Tags) > 0 {
				last := len(s.Tags) - 1
				excess -= tagBytes(s.Tags[last])
				s.Tags = s.Tags[:last]
			}
		case len(s.Name) > nameBytes || len(s.Refs) > 0 || s.TraceState != "":
			s.Name, s.Refs, s.TraceState = model.Cut(s.Name, nameBytes), nil, ""
		default:
			return dst[:start], false
		}
	}
}

// tagBytes is about what a tag takes on any wire; rather more, so that not too many go at once.
func tagBytes(t model.Tag) int { return len(t.Key) + len(t.Value.Str()) + 12 }

package tracerinit

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
)

// exportedSpan returns s as the application's exporters see it.
func exportedSpan(s *model.Span) *Span {
	d := s.Dropped
	out := &Span{
		TraceID: s.TraceID.Hex(), SpanID: model.SpanHex(s.SpanID), TraceState: s.TraceState, Name: s.Name,
		Start: s.Start, Duration: s.Duration, Tags: spanTags(s.Tags),
		DroppedTags: int(d.Tags), DroppedLogs: int(d.Logs), DroppedFields: int(d.Fields), ShortenedValues: int(d.Values),
	}
	if s.ParentID != 0 {
		out.ParentID = model.SpanHex(s.ParentID)
	}
	for _, l := range s.Logs {
		out.Logs = append(out.Logs, SpanLog{l.Time, spanTags(l.Fields)})
	}
	for _, r := range s.Refs {
		ref := SpanReference{r.Type == model.FollowsFrom, r.TraceID.Hex(), model.SpanHex(r.SpanID)}
		out.References = append(out.References, ref)
	}
	return out
}

func spanTags(tags []model.Tag) (out []SpanTag) {
	for _, t := range tags {
		tag := SpanTag{Key: t.Key}
		switch v := t.Value; v.Kind() {
		case model.KindBool:
			tag.Value = v.Bool()
		case model.KindInt:
			tag.Value = v.Int()
		case model.KindFloat:
			tag.Value = v.Float()
		case model.KindBytes:
			tag.Value = []byte(v.Str())
		default:
			tag.Value = v.Str()
		}
		out = append(out, tag)
	}
	return out
}

// modelSpan is the reverse of exportedSpan. Ids that are not hexadecimal become zero.
func modelSpan(s *Span) *model.Span {
	out := &model.Span{
		TraceID: traceIDOf(s.TraceID), SpanID: spanIDOf(s.SpanID), ParentID: spanIDOf(s.ParentID), Flags: 1,
		TraceState: s.TraceState, Name: s.Name, Start: s.Start, Duration: s.Duration, Tags: modelTags(s.Tags),
		Dropped: model.Dropped{
			Tags: uint32(s.DroppedTags), Logs: uint32(s.DroppedLogs),
			Fields: uint32(s.DroppedFields), Values: uint32(s.ShortenedValues),
		},
	}
	for _, l := range s.Logs {
		out.Logs = append(out.Logs, model.Log{Time: l.Time, Fields: modelTags(l.Fields)})
	}
	for _, r := range s.References {
		ref := model.Ref{TraceID: traceIDOf(r.TraceID), SpanID: spanIDOf(r.SpanID)}
		if r.FollowsFrom {
			ref.Type = model.FollowsFrom
		}
		out.Refs = append(out.Refs, ref)
	}
	return out
}

func traceIDOf(s string) model.TraceID {
	cut := max(len(s)-16, 0)
	return model.TraceID{High: spanIDOf(s[:cut]), Low: spanIDOf(s[cut:])}
}

func spanIDOf(s string) uint64 {
	id, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0
	}
	return id
}

func modelTags(tags []SpanTag) (out []model.Tag) {
	for _, t := range tags {
		out = append(out, model.Tag{Key: t.Key, Value: model.ValueOf(t.Value, 0)})
	}
	return out
}

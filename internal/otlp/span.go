package otlp

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// AppendSpan appends s to dst as one Span message with its tag and length, as it stands inside ScopeSpans, so that
// a batch is made by joining spans: see AppendRequest. It allocates nothing but room in dst.
func AppendSpan(dst []byte, s *model.Span) []byte {
	f := factsOf(s)
	dst, at := begin(dst, scopeSpansSpans)
	dst = appendTraceID(dst, spanTraceID, s.TraceID)
	dst = appendSpanID(dst, spanSpanID, s.SpanID)
	if s.TraceState != "" {
		dst = appendText(dst, spanTraceState, s.TraceState)
	}
	if s.ParentID != 0 {
		dst = appendSpanID(dst, spanParentID, s.ParentID)
	}
	dst = appendText(dst, spanName, s.Name)
	dst = appendUint(dst, spanKind, uint64(f.kind))
	dst = appendFixed64(dst, spanStart, nanos(s.Start))
	dst = appendFixed64(dst, spanEnd, endNanos(s))
	for i := range s.Tags {
		if t := &s.Tags[i]; !f.covers(t) {
			dst = appendTag(dst, spanAttributes, t)
		}
	}
	dst = appendCount(dst, spanDroppedAttributes, s.Dropped.Tags)
	for i := range s.Logs {
		dst = appendEvent(dst, &s.Logs[i])
	}
	dst = appendCount(dst, spanDroppedEvents, s.Dropped.Logs)
	for _, r := range s.Refs {
		dst = appendLink(dst, r)
	}
	dst = appendCount(dst, spanDroppedLinks, s.Dropped.Refs)
	dst = appendStatus(dst, &f)
	if flags := sampledFlag(s); flags != 0 {
		dst = protowire.AppendTag(dst, spanFlags, protowire.Fixed32Type)
		dst = protowire.AppendFixed32(dst, flags)
	}
	return end(dst, at)
}

func appendTraceID(dst []byte, field protowire.Number, id model.TraceID) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = append(dst, 16)
	dst = binary.BigEndian.AppendUint64(dst, id.High)
	return binary.BigEndian.AppendUint64(dst, id.Low)
}

func appendSpanID(dst []byte, field protowire.Number, id uint64) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	dst = append(dst, 8)
	return binary.BigEndian.AppendUint64(dst, id)
}

// appendTag appends one KeyValue. The value is written even when it is empty: it tells the type.
func appendTag(dst []byte, field protowire.Number, t *model.Tag) []byte {
	dst, at := begin(dst, field)
	dst = appendText(dst, keyValueKey, t.Key)
	dst, value := begin(dst, keyValueValue)
	switch v := t.Value; v.Kind() {
	case model.KindBool:
		dst = appendUint(dst, anyBool, protowire.EncodeBool(v.Bool()))
	case model.KindInt:
		dst = appendUint(dst, anyInt, uint64(v.Int()))
	case model.KindFloat:
		dst = appendFixed64(dst, anyDouble, math.Float64bits(v.Float()))
	case model.KindBytes:
		dst = protowire.AppendTag(dst, anyBytes, protowire.BytesType)
		dst = protowire.AppendString(dst, v.Str())
	default:
		dst = appendText(dst, anyString, v.Str())
	}
	return end(end(dst, value), at)
}

func appendEvent(dst []byte, l *model.Log) []byte {
	name, named := eventName(l)
	dst, at := begin(dst, spanEvents)
	dst = appendFixed64(dst, eventTime, nanos(l.Time))
	dst = appendText(dst, eventNameField, name)
	for i := range l.Fields {
		if i != named {
			dst = appendTag(dst, eventAttributes, &l.Fields[i])
		}
	}
	return end(appendCount(dst, eventDropped, l.DroppedFields), at)
}

func appendLink(dst []byte, r model.Ref) []byte {
	dst, at := begin(dst, spanLinks)
	dst = appendTraceID(dst, linkTraceID, r.TraceID)
	dst = appendSpanID(dst, linkSpanID, r.SpanID)
	dst = appendTag(dst, linkAttributes, &model.Tag{Key: tagRefType, Value: model.String(refTypeName(r.Type))})
	return end(dst, at)
}

func appendStatus(dst []byte, f *facts) []byte {
	if f.status == 0 {
		return dst
	}
	dst, at := begin(dst, spanStatus)
	if f.description != "" {
		dst = appendText(dst, statusMessage, f.description)
	}
	return end(appendUint(dst, statusCode, uint64(f.status)), at)
}

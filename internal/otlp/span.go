package otlp

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// AppendSpan appends s to dst as one Span message with its tag and length, as it stands inside ScopeSpans, so that
// a batch is made by joining spans: see [AppendRequest]. A span of another instrumentation scope than the kit's comes
// after the fields of ScopeSpans that name its scope. AppendSpan allocates nothing but room in dst.
func AppendSpan(dst []byte, s *model.Span) []byte {
	f := fieldsOf(s)
	dst = appendScopeOf(dst, s, &f)
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
		if t := &s.Tags[i]; !f.isRedundant(t) {
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
	return end(appendFlags(dst, spanFlags, spanFlagsOf(s)), at)
}

func appendTraceID(dst []byte, field protowire.Number, id model.TraceID) []byte {
	dst = append(appendKey(dst, field, protowire.BytesType), 16)
	dst = binary.BigEndian.AppendUint64(dst, id.High)
	return binary.BigEndian.AppendUint64(dst, id.Low)
}

func appendSpanID(dst []byte, field protowire.Number, id uint64) []byte {
	dst = append(appendKey(dst, field, protowire.BytesType), 8)
	return binary.BigEndian.AppendUint64(dst, id)
}

func appendFlags(dst []byte, field protowire.Number, flags uint32) []byte {
	if flags == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, field, protowire.Fixed32Type)
	return protowire.AppendFixed32(dst, flags)
}

// appendTag appends one KeyValue.
func appendTag(dst []byte, field protowire.Number, t *model.Tag) []byte {
	dst, at := begin(dst, field)
	dst = appendText(dst, keyValueKey, t.Key)
	return end(appendValue(dst, keyValueValue, &t.Value), at)
}

// appendValue appends one AnyValue. It is written even when it is zero, since it also is the type.
func appendValue(dst []byte, field protowire.Number, v *model.Value) []byte {
	dst, at := begin(dst, field)
	switch v.Kind() {
	case model.KindBool:
		dst = appendUint(dst, anyBool, protowire.EncodeBool(v.Bool()))
	case model.KindInt:
		dst = appendUint(dst, anyInt, uint64(v.Int()))
	case model.KindFloat:
		dst = appendFixed64(dst, anyDouble, math.Float64bits(v.Float()))
	case model.KindBytes:
		dst = protowire.AppendTag(dst, anyBytes, protowire.BytesType)
		dst = protowire.AppendString(dst, v.Str())
	case model.KindList:
		var list int
		dst, list = begin(dst, anyArray)
		for i := range v.List() {
			dst = appendValue(dst, listValues, &v.List()[i])
		}
		dst = end(dst, list)
	case model.KindMap:
		var fields int
		dst, fields = begin(dst, anyMap)
		for i := range v.Fields() {
			dst = appendTag(dst, listValues, &v.Fields()[i])
		}
		dst = end(dst, fields)
	case model.KindEmpty:
	default:
		dst = appendText(dst, anyString, v.Str())
	}
	return end(dst, at)
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
	l := r.Link
	if l == nil {
		dst = appendTag(dst, linkAttributes, &model.Tag{Key: tagRefType, Value: model.String(refTypeName(r.Type))})
		return end(dst, at)
	}
	if l.TraceState != "" {
		dst = appendText(dst, linkTraceState, l.TraceState)
	}
	for i := range l.Attributes {
		dst = appendTag(dst, linkAttributes, &l.Attributes[i])
	}
	return end(appendFlags(appendCount(dst, linkDropped, l.Dropped), linkFlags, l.Flags), at)
}

func appendStatus(dst []byte, f *otlpFields) []byte {
	if f.status == 0 {
		return dst
	}
	dst, at := begin(dst, spanStatus)
	if f.description != "" {
		dst = appendText(dst, statusMessage, f.description)
	}
	return end(appendUint(dst, statusCode, uint64(f.status)), at)
}

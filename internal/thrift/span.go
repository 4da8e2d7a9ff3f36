package thrift

import (
	"github.com/spanloom/spanloom/internal/model"
)

const tagTraceState = "w3c.tracestate"

// Tags that count what limits took from a span, named by OpenTelemetry for formats without fields for the counts:
// https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/#dropped-attributes-count
const (
	tagDroppedTags = "otel.dropped_attributes_count"
	tagDroppedLogs = "otel.dropped_events_count"
	tagDroppedRefs = "otel.dropped_links_count"
)

// Jaeger's TagType.
const (
	tagString int32 = iota
	tagDouble
	tagBool
	tagLong
	tagBinary
)

// AppendSpanCompact appends s to dst as one element of a batch's span list, for AppendEmitBatchCompact. It allocates
// nothing but room in dst.
func AppendSpanCompact(dst []byte, s *model.Span) []byte { return appendSpan(dst, s, true) }

// AppendSpanBinary is AppendSpanCompact in the binary protocol, for AppendBatchBinary.
func AppendSpanBinary(dst []byte, s *model.Span) []byte { return appendSpan(dst, s, false) }

func appendSpan(dst []byte, s *model.Span, compact bool) []byte {
	w := writer{b: dst, compact: compact}
	outer := w.open()
	w.i64(1, int64(s.TraceID.Low))
	w.i64(2, int64(s.TraceID.High))
	w.i64(3, int64(s.SpanID))
	w.i64(4, int64(s.ParentID))
	w.text(5, s.Name)
	w.refs(s)
	w.i32(7, int32(s.Flags))
	w.i64(8, s.Start.UnixMicro())
	w.i64(9, max(s.Duration, 0).Microseconds())
	var extra [maxExtraTags]model.Tag
	w.tags(10, s.Tags, appendExtraTags(extra[:0], s))
	w.logs(s.Logs)
	w.close(outer)
	return w.b
}

const maxExtraTags = 4

// appendExtraTags appends what the model has fields for and Jaeger has tags for.
func appendExtraTags(dst []model.Tag, s *model.Span) []model.Tag {
	if s.TraceState != "" {
		dst = append(dst, model.Tag{Key: tagTraceState, Value: model.String(s.TraceState)})
	}
	dst = appendCount(dst, tagDroppedTags, s.Dropped.Tags)
	dst = appendCount(dst, tagDroppedLogs, s.Dropped.Logs)
	return appendCount(dst, tagDroppedRefs, s.Dropped.Refs)
}

func appendCount(dst []model.Tag, key string, n uint32) []model.Tag {
	if n == 0 {
		return dst
	}
	return append(dst, model.Tag{Key: key, Value: model.Int(int64(n))})
}

// refs writes the references, the parent's first: readers of old want it among them, whatever parentSpanId says.
func (w *writer) refs(s *model.Span) {
	parent := model.Ref{TraceID: s.TraceID, SpanID: s.ParentID}
	listed := s.ParentID == 0
	for _, r := range s.Refs {
		listed = listed || r.TraceID == parent.TraceID && r.SpanID == parent.SpanID
	}
	n := len(s.Refs)
	if !listed {
		n++
	}
	if n == 0 {
		return
	}
	w.list(6, typeStruct, n)
	if !listed {
		w.ref(parent)
	}
	for _, r := range s.Refs {
		w.ref(r)
	}
}

func (w *writer) ref(r model.Ref) {
	outer := w.open()
	w.i32(1, int32(r.Type))
	w.i64(2, int64(r.TraceID.Low))
	w.i64(3, int64(r.TraceID.High))
	w.i64(4, int64(r.SpanID))
	w.close(outer)
}

// tags writes a list of tags followed by extra. An empty list is left out.
func (w *writer) tags(id int16, tags, extra []model.Tag) {
	if len(tags)+len(extra) > 0 {
		w.tagList(id, tags, extra)
	}
}

func (w *writer) tagList(id int16, tags, extra []model.Tag) {
	w.list(id, typeStruct, len(tags)+len(extra))
	for i := range tags {
		w.tag(&tags[i])
	}
	for i := range extra {
		w.tag(&extra[i])
	}
}

func (w *writer) tag(t *model.Tag) {
	outer := w.open()
	w.text(1, t.Key)
	switch v := t.Value; v.Kind() {
	case model.KindBool:
		w.i32(2, tagBool)
		w.bool(5, v.Bool())
	case model.KindInt:
		w.i32(2, tagLong)
		w.i64(6, v.Int())
	case model.KindFloat:
		w.i32(2, tagDouble)
		w.double(4, v.Float())
	case model.KindBytes:
		w.i32(2, tagBinary)
		w.bytes(7, v.Str())
	default:
		w.i32(2, tagString)
		w.text(3, v.Str())
	}
	w.close(outer)
}

func (w *writer) logs(logs []model.Log) {
	if len(logs) == 0 {
		return
	}
	w.list(11, typeStruct, len(logs))
	for i := range logs {
		outer := w.open()
		w.i64(1, logs[i].Time.UnixMicro())
		var extra [1]model.Tag
		w.tagList(2, logs[i].Fields, appendCount(extra[:0], tagDroppedTags, logs[i].DroppedFields))
		w.close(outer)
	}
}

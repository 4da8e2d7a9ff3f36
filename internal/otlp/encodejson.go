package otlp

import (
	"encoding/hex"
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
)

// AppendRequestJSON appends the OTLP JSON of batches, which DecodeRequestJSON and every OTLP receiver read. Unlike
// AppendRequest it writes the scopes that spans came with.
func AppendRequestJSON(dst []byte, batches []model.Batch) []byte {
	w := jsonWriter{b: append(dst, `{"resourceSpans":[`...)}
	for i := range batches {
		w.comma(i)
		w.batch(&batches[i])
	}
	return append(w.b, "]}"...)
}

type jsonWriter struct{ b []byte }

func (w *jsonWriter) raw(s string)  { w.b = append(w.b, s...) }
func (w *jsonWriter) text(s string) { w.b = appendJSONString(w.b, s) }

func (w *jsonWriter) comma(i int) {
	if i > 0 {
		w.b = append(w.b, ',')
	}
}

// number writes 64-bit numbers as protobuf's JSON does: as strings.
func (w *jsonWriter) number(n uint64) {
	w.b = append(strconv.AppendUint(append(w.b, '"'), n, 10), '"')
}

func (w *jsonWriter) traceID(id model.TraceID) {
	w.b = append(hex.AppendEncode(append(w.b, '"'), appendTraceID(nil, spanTraceID, id)[2:]), '"')
}

func (w *jsonWriter) spanID(id uint64) {
	w.b = append(hex.AppendEncode(append(w.b, '"'), appendSpanID(nil, spanSpanID, id)[2:]), '"')
}

func (w *jsonWriter) batch(b *model.Batch) {
	w.raw(`{"resource":{"attributes":[`)
	n := 0
	if b.Process.Service != "" {
		w.tag(&model.Tag{Key: tagService, Value: model.String(b.Process.Service)})
		n++
	}
	for i := range b.Process.Tags {
		if t := &b.Process.Tags[i]; t.Key != tagService {
			w.comma(n)
			w.tag(t)
			n++
		}
	}
	w.raw(`]},"scopeSpans":[`)
	for i, s := range scopesOf(b.Spans) {
		w.comma(i)
		w.raw(`{"scope":{"name":`)
		w.text(s.name)
		w.raw(`,"version":`)
		w.text(s.version)
		w.raw(`},"spans":[`)
		for i, span := range s.spans {
			w.comma(i)
			w.span(span, &s)
		}
		w.raw(`]}`)
	}
	w.raw(`]}`)
}

func (w *jsonWriter) span(s *model.Span, from *scope) {
	f := fieldsOf(s)
	w.raw(`{"traceId":`)
	w.traceID(s.TraceID)
	w.raw(`,"spanId":`)
	w.spanID(s.SpanID)
	if s.TraceState != "" {
		w.raw(`,"traceState":`)
		w.text(s.TraceState)
	}
	if s.ParentID != 0 {
		w.raw(`,"parentSpanId":`)
		w.spanID(s.ParentID)
	}
	w.raw(`,"flags":`)
	w.b = strconv.AppendUint(w.b, uint64(spanFlagsOf(s)), 10)
	w.raw(`,"name":`)
	w.text(s.Name)
	w.raw(`,"kind":`)
	w.b = strconv.AppendInt(w.b, int64(f.kind), 10)
	w.raw(`,"startTimeUnixNano":`)
	w.number(nanos(s.Start))
	w.raw(`,"endTimeUnixNano":`)
	w.number(endNanos(s))
	w.tags(s.Tags, func(i int) bool { return f.isRedundant(&s.Tags[i]) || from.isRedundant(&s.Tags[i]) })
	w.events(s.Logs)
	w.links(s.Refs)
	w.status(&f)
	w.raw(`}`)
}

// tags writes attributes except those for which skip is true.
func (w *jsonWriter) tags(tags []model.Tag, skip func(i int) bool) {
	w.raw(`,"attributes":[`)
	n := 0
	for i := range tags {
		if !skip(i) {
			w.comma(n)
			w.tag(&tags[i])
			n++
		}
	}
	w.raw(`]`)
}

func (w *jsonWriter) tag(t *model.Tag) {
	w.raw(`{"key":`)
	w.text(t.Key)
	w.raw(`,"value":`)
	w.value(t.Value)
	w.raw(`}`)
}

func (w *jsonWriter) value(v model.Value) {
	w.raw(`{`)
	switch v.Kind() {
	case model.KindBool:
		w.raw(`"boolValue":`)
		w.b = strconv.AppendBool(w.b, v.Bool())
	case model.KindInt:
		w.raw(`"intValue":"`)
		w.b = append(strconv.AppendInt(w.b, v.Int(), 10), '"')
	case model.KindFloat:
		w.raw(`"doubleValue":`)
		w.b = model.AppendJSONFloat(w.b, v.Float())
	case model.KindBytes:
		w.raw(`"bytesValue":`)
		w.b = appendJSONBytes(w.b, []byte(v.Str()))
	case model.KindList:
		w.raw(`"arrayValue":{"values":[`)
		for i, e := range v.List() {
			w.comma(i)
			w.value(e)
		}
		w.raw(`]}`)
	case model.KindMap:
		w.raw(`"kvlistValue":{"values":[`)
		for i := range v.Fields() {
			w.comma(i)
			w.tag(&v.Fields()[i])
		}
		w.raw(`]}`)
	case model.KindEmpty:
	default:
		w.raw(`"stringValue":`)
		w.text(v.Str())
	}
	w.raw(`}`)
}

func (w *jsonWriter) events(logs []model.Log) {
	w.raw(`,"events":[`)
	for i := range logs {
		l := &logs[i]
		name, named := eventName(l)
		w.comma(i)
		w.raw(`{"timeUnixNano":`)
		w.number(nanos(l.Time))
		w.raw(`,"name":`)
		w.text(name)
		w.tags(l.Fields, func(i int) bool { return i == named })
		w.raw(`}`)
	}
	w.raw(`]`)
}

func (w *jsonWriter) links(refs []model.Ref) {
	w.raw(`,"links":[`)
	for i, r := range refs {
		w.comma(i)
		w.raw(`{"traceId":`)
		w.traceID(r.TraceID)
		w.raw(`,"spanId":`)
		w.spanID(r.SpanID)
		attributes := []model.Tag{{Key: tagRefType, Value: model.String(refTypeName(r.Type))}}
		if l := r.Link; l != nil {
			attributes = l.Attributes
			w.raw(`,"traceState":`)
			w.text(l.TraceState)
			w.raw(`,"flags":`)
			w.b = strconv.AppendUint(w.b, uint64(l.Flags), 10)
		}
		w.tags(attributes, func(int) bool { return false })
		w.raw(`}`)
	}
	w.raw(`]`)
}

func (w *jsonWriter) status(f *otlpFields) {
	w.raw(`,"status":{`)
	if f.status != 0 {
		w.raw(`"code":`)
		w.b = strconv.AppendInt(w.b, int64(f.status), 10)
		if f.description != "" {
			w.raw(`,"message":`)
			w.text(f.description)
		}
	}
	w.raw(`}`)
}

package fromjaeger

import (
	"cmp"
	"math"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/internal/model"
)

// addLog adds a log within the limits.
func (l *Loader) addLog(r opentracing.LogRecord) {
	if l.refused {
		return
	}
	logs := l.Span.Logs
	if l.Limits.Logs != 0 && len(logs) >= l.Limits.Logs {
		l.Span.Dropped.Logs++
		return
	}
	if n := len(logs); n < cap(logs) {
		logs = logs[:n+1] // reuse the fields of a log that was loaded before
	} else {
		logs = append(logs, model.Log{})
	}
	l.Span.Logs, l.log = logs, &logs[len(logs)-1]
	*l.log = model.Log{Time: r.Timestamp, Fields: l.log.Fields[:0]}
	for _, f := range r.Fields {
		l.addField(f)
	}
	l.Span.Dropped.Logs += droppedLogs(l.log.Fields)
	keep := max(l.Limits.Fields, 0)
	if len(l.log.Fields) > 0 && l.log.Fields[0].Key == "event" && l.log.Fields[0].Value.IsLiteral() {
		keep++ // the name of an event of OpenTelemetry is no attribute
	}
	if l.Limits.Fields != 0 && len(l.log.Fields) > keep {
		over := uint32(len(l.log.Fields) - keep)
		l.log.DroppedFields += over
		l.Span.Dropped.Fields += over
		clear(l.log.Fields[keep:])
		l.log.Fields = l.log.Fields[:keep]
	}
}

// droppedLogs returns the count in the log that jaeger-client-go writes in the place of logs over its own limit.
func droppedLogs(fields []model.Tag) uint32 {
	if len(fields) < 2 || fields[0] != (model.Tag{Key: "event", Value: model.String("dropped Span logs")}) ||
		fields[1].Key != "dropped_log_count" {
		return 0
	}
	return uint32(min(max(fields[1].Value.Int(), 0), math.MaxUint32))
}

func (l *Loader) addField(f log.Field) {
	defer func() {
		if recover() != nil {
			(*fieldSink)(l).add(cmp.Or(f.Key(), "lazy"), model.String("<panic>"))
		}
	}()
	f.Marshal((*fieldSink)(l))
}

// fieldSink is a [Loader] that takes fields for its current log. Fields are read through [log.Encoder], which, unlike
// [log.Field.Value], boxes nothing.
type fieldSink Loader

// add adds a field and shortens its value. A field without a key is left out.
func (s *fieldSink) add(key string, v model.Value) {
	if key == "" {
		return
	}
	v, cut := v.Truncate(s.Limits.ValueBytes)
	if cut {
		s.Span.Dropped.Values++
	}
	s.log.Fields = append(s.log.Fields, model.Tag{Key: key, Value: v})
}

func (s *fieldSink) EmitString(key, v string)          { s.add(key, model.String(v)) }
func (s *fieldSink) EmitBool(key string, v bool)       { s.add(key, model.Bool(v)) }
func (s *fieldSink) EmitInt(key string, v int)         { s.add(key, model.Int(int64(v))) }
func (s *fieldSink) EmitInt32(key string, v int32)     { s.add(key, model.Int(int64(v))) }
func (s *fieldSink) EmitInt64(key string, v int64)     { s.add(key, model.Int(v)) }
func (s *fieldSink) EmitUint32(key string, v uint32)   { s.add(key, model.Int(int64(v))) }
func (s *fieldSink) EmitUint64(key string, v uint64)   { s.EmitObject(key, v) }
func (s *fieldSink) EmitFloat32(key string, v float32) { s.add(key, model.Float(float64(v))) }
func (s *fieldSink) EmitFloat64(key string, v float64) { s.add(key, model.Float(v)) }

// EmitObject adds a field with an error or any other value.
func (s *fieldSink) EmitObject(key string, v any) {
	if n, ok := v.(model.DroppedFields); ok {
		s.log.DroppedFields += uint32(n)
		s.Span.Dropped.Fields += uint32(n)
		return
	}
	var value model.Value
	_, attribute := v.(model.Value) // OpenTelemetry keeps attributes of events that have no key
	if (*Loader)(s).convert(&value, v, s.Limits.ValueBytes) && (key != "" || attribute) {
		s.log.Fields = append(s.log.Fields, model.Tag{Key: key, Value: value})
	}
}

// EmitLazyLogger runs the application's function, which adds fields, unless that is not allowed now.
func (s *fieldSink) EmitLazyLogger(fill log.LazyLogger) {
	if s.simpleOnly {
		s.refused = true
		return
	}
	fill(s)
}

package model

import (
	"cmp"

	"github.com/opentracing/opentracing-go/log"
)

// loadFields replaces l's fields by those given. They are read through log.Encoder, which, unlike log.Field.Value,
// boxes nothing.
func (l *Log) loadFields(fields []log.Field, lim Limits) (dropped int) {
	l.Fields = l.Fields[:0]
	for _, f := range fields {
		emit(f, (*fieldSink)(l))
	}
	if keep := max(lim.Fields, 0); lim.Fields != 0 && len(l.Fields) > keep {
		dropped = len(l.Fields) - keep
		clear(l.Fields[keep:])
		l.Fields = l.Fields[:keep]
	}
	if lim.ValueBytes > 0 {
		for i := range l.Fields {
			l.Fields[i].Value = l.Fields[i].Value.cut(lim.ValueBytes)
		}
	}
	return dropped
}

func emit(f log.Field, sink *fieldSink) {
	defer func() {
		if recover() != nil {
			sink.EmitString(cmp.Or(f.Key(), "lazy"), "<panic>")
		}
	}()
	f.Marshal(sink)
}

// fieldSink is a Log that takes fields.
type fieldSink Log

func (s *fieldSink) add(key string, v Value) {
	if key != "" {
		s.Fields = append(s.Fields, Tag{key, v})
	}
}

func (s *fieldSink) EmitString(key, v string)           { s.add(key, String(v)) }
func (s *fieldSink) EmitBool(key string, v bool)        { s.add(key, Bool(v)) }
func (s *fieldSink) EmitInt(key string, v int)          { s.add(key, Int(int64(v))) }
func (s *fieldSink) EmitInt32(key string, v int32)      { s.add(key, Int(int64(v))) }
func (s *fieldSink) EmitInt64(key string, v int64)      { s.add(key, Int(v)) }
func (s *fieldSink) EmitUint32(key string, v uint32)    { s.add(key, Int(int64(v))) }
func (s *fieldSink) EmitUint64(key string, v uint64)    { s.add(key, ValueOf(v, 0)) }
func (s *fieldSink) EmitFloat32(key string, v float32)  { s.add(key, Float(float64(v))) }
func (s *fieldSink) EmitFloat64(key string, v float64)  { s.add(key, Float(v)) }
func (s *fieldSink) EmitObject(key string, v any)       { s.add(key, ValueOf(v, 0)) }
func (s *fieldSink) EmitLazyLogger(fill log.LazyLogger) { fill(s) }

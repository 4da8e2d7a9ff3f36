package thrift

import (
	"fmt"
	"math"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const unknownService = "unknown_service"

// DecodeBatchBinary reads a Batch in the binary protocol. It keeps no part of body. An error means that nothing was
// read: body is malformed, an id is missing, or a limit is passed (model.ErrTooLarge).
func DecodeBatchBinary(body []byte, lim model.DecodeLimits) (model.Batch, error) {
	r := reader{b: body, in: model.NewBuilder(lim)}
	return r.whole(r.batch())
}

// DecodeBatchCompact is DecodeBatchBinary for the compact protocol.
func DecodeBatchCompact(body []byte, lim model.DecodeLimits) (model.Batch, error) {
	r := reader{b: body, in: model.NewBuilder(lim), compact: true}
	return r.whole(r.batch())
}

// DecodeEmitBatch reads the call emitBatch in the compact protocol, as an agent finds it in a datagram.
func DecodeEmitBatch(datagram []byte, lim model.DecodeLimits) (model.Batch, error) {
	r := reader{b: datagram, in: model.NewBuilder(lim), compact: true}
	if r.byte() != compactProtocolID || r.byte()&0x1f != compactVersion {
		return model.Batch{}, fmt.Errorf("thrift: not a message of the compact protocol")
	}
	r.uvarint()
	if name := r.bytes(); string(name) != emitBatch {
		return model.Batch{}, fmt.Errorf("thrift: call of %.50q, want %s", name, emitBatch)
	}
	var batch *model.Batch
	r.structure(func(id int16, typ byte) bool {
		if id != 1 || typ != typeStruct {
			return false
		}
		b := r.batch()
		batch = &b
		return true
	})
	if batch == nil {
		return model.Batch{}, fmt.Errorf("thrift: call of %s without a batch", emitBatch)
	}
	return r.whole(*batch)
}

// whole returns b if it was read without error and nothing follows.
func (r *reader) whole(b model.Batch) (model.Batch, error) {
	if len(r.b) > 0 {
		r.fail(errMalformed)
	}
	if r.err == nil {
		r.err = r.in.Err()
	}
	if r.err != nil {
		return model.Batch{}, r.err
	}
	return b, nil
}

func (r *reader) batch() model.Batch {
	b := model.Batch{Process: model.Process{Service: unknownService}}
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == typeStruct:
			r.process(&b.Process)
		case id == 2 && typ == typeList:
			r.list(typeStruct, func() {
				s := r.span()
				b.Spans = r.in.Span(b.Spans, &s)
			})
		default:
			return false
		}
		return true
	})
	return b
}

func (r *reader) process(p *model.Process) {
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == typeString:
			if name := r.in.Text(r.bytes()); name != "" {
				p.Service = name
			}
		case id == 2 && typ == typeList:
			p.Tags = r.tags(p.Tags)
		default:
			return false
		}
		return true
	})
}

func (r *reader) span() (s model.Span) {
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id >= 1 && id <= 9 && typ == typeI64:
			r.spanNumber(&s, id, r.i64())
		case id == 5 && typ == typeString:
			s.Name = r.in.Key(r.bytes())
		case id == 6 && typ == typeList:
			r.list(typeStruct, func() { s.Refs = r.in.Ref(s.Refs, r.ref()) })
		case id == 7 && typ == typeI32:
			s.Flags = byte(r.i32())
		case id == 10 && typ == typeList:
			s.Tags = r.tags(s.Tags)
		case id == 11 && typ == typeList:
			r.list(typeStruct, func() { s.Logs = r.in.Log(s.Logs, r.log()) })
		default:
			return false
		}
		return true
	})
	if r.err == nil && (s.TraceID == model.TraceID{} || s.SpanID == 0) {
		r.fail(fmt.Errorf("thrift: span %.100q has no trace id or no span id", s.Name))
	}
	takeTraceState(&s)
	settleParent(&s)
	return s
}

func (r *reader) spanNumber(s *model.Span, id int16, v int64) {
	switch id {
	case 1:
		s.TraceID.Low = uint64(v)
	case 2:
		s.TraceID.High = uint64(v)
	case 3:
		s.SpanID = uint64(v)
	case 4:
		s.ParentID = uint64(v)
	case 8:
		s.Start = time.UnixMicro(v).UTC()
	case 9:
		const most = math.MaxInt64 / int64(time.Microsecond)
		s.Duration = time.Duration(min(max(v, 0), most)) * time.Microsecond
	}
}

// takeTraceState moves the tag that Jaeger keeps the tracestate in to where it belongs.
func takeTraceState(s *model.Span) {
	for i, t := range s.Tags {
		if t.Key == tagTraceState && t.Value.Kind() == model.KindString && s.TraceState == "" && t.Value.Str() != "" {
			s.TraceState = t.Value.Str()
			s.Tags = append(s.Tags[:i], s.Tags[i+1:]...)
			return
		}
	}
}

// settleParent finds the parent among the references if the span does not name it, and leaves the others.
func settleParent(s *model.Span) {
	kept := s.Refs[:0]
	for _, r := range s.Refs {
		inTrace := r.Type == model.ChildOf && r.TraceID == s.TraceID
		if inTrace && s.ParentID == 0 {
			s.ParentID = r.SpanID
		}
		if r.SpanID != 0 && (!inTrace || r.SpanID != s.ParentID) {
			kept = append(kept, r)
		}
	}
	s.Refs = nil // and with it the array, in the common case that the parent was all
	if len(kept) > 0 {
		s.Refs = kept
	}
}

func (r *reader) ref() (ref model.Ref) {
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == typeI32:
			if r.i32() != int32(model.ChildOf) {
				ref.Type = model.FollowsFrom
			}
		case id == 2 && typ == typeI64:
			ref.TraceID.Low = uint64(r.i64())
		case id == 3 && typ == typeI64:
			ref.TraceID.High = uint64(r.i64())
		case id == 4 && typ == typeI64:
			ref.SpanID = uint64(r.i64())
		default:
			return false
		}
		return true
	})
	return ref
}

func (r *reader) log() (l model.Log) {
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == typeI64:
			l.Time = time.UnixMicro(r.i64()).UTC()
		case id == 2 && typ == typeList:
			l.Fields = r.tags(l.Fields)
		default:
			return false
		}
		return true
	})
	return l
}

func (r *reader) tags(tags []model.Tag) []model.Tag {
	r.list(typeStruct, func() {
		key, v := r.tag()
		tags = r.in.Tag(tags, key, v)
	})
	return tags
}

// tag reads a Tag: of the values that it holds, the one that its type names.
func (r *reader) tag() (key string, v model.Value) {
	var kind int32
	var values [tagBinary + 1]model.Value
	values[tagDouble], values[tagBool] = model.Float(0), model.Bool(false)
	values[tagLong], values[tagBinary] = model.Int(0), model.Bytes(nil)
	r.structure(func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == typeString:
			key = r.in.Key(r.bytes())
		case id == 2 && typ == typeI32:
			kind = r.i32()
		case id == 3 && typ == typeString:
			values[tagString] = model.String(r.in.Text(r.bytes()))
		case id == 4 && typ == typeDouble:
			values[tagDouble] = model.Float(r.double())
		case id == 5 && typ == typeBool:
			values[tagBool] = model.Bool(r.bool())
		case id == 6 && typ == typeI64:
			values[tagLong] = model.Int(r.i64())
		case id == 7 && typ == typeString:
			values[tagBinary] = r.in.Binary(r.bytes())
		default:
			return false
		}
		return true
	})
	if kind < 0 || int(kind) >= len(values) {
		kind = tagString
	}
	return key, values[kind]
}

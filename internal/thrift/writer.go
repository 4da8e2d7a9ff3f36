package thrift

import (
	"encoding/binary"
	"math"

	"github.com/spanloom/spanloom/internal/model"
)

// Types of the binary protocol; compactTypes translates them.
const (
	typeStop   byte = 0
	typeBool   byte = 2
	typeByte   byte = 3
	typeDouble byte = 4
	typeI16    byte = 6
	typeI32    byte = 8
	typeI64    byte = 10
	typeString byte = 11
	typeStruct byte = 12
	typeMap    byte = 13
	typeSet    byte = 14
	typeList   byte = 15
)

const (
	compactTrue  byte = 1
	compactFalse byte = 2
)

var compactTypes = [16]byte{
	typeBool: compactTrue, typeByte: 3, typeI16: 4, typeI32: 5, typeI64: 6, typeDouble: 7, typeString: 8, typeList: 9,
	typeSet: 10, typeMap: 11, typeStruct: 12,
}

// writer appends thrift values in one of the two protocols, so that each structure is written down once.
type writer struct {
	b       []byte
	compact bool
	last    int16 // id of the last field of the open struct
}

// open begins a struct and returns what close needs.
func (w *writer) open() (outer int16) {
	outer, w.last = w.last, 0
	return outer
}

func (w *writer) close(outer int16) {
	w.b = append(w.b, typeStop)
	w.last = outer
}

func (w *writer) field(id int16, typ byte) {
	if !w.compact {
		w.b = binary.BigEndian.AppendUint16(append(w.b, typ), uint16(id))
		return
	}
	w.compactField(id, compactTypes[typ])
}

// compactField writes ids as the step from the last one: all of Jaeger's step by less than 16.
func (w *writer) compactField(id int16, typ byte) {
	w.b = append(w.b, byte(id-w.last)<<4|typ)
	w.last = id
}

func (w *writer) list(id int16, elem byte, n int) {
	w.field(id, typeList)
	switch {
	case !w.compact:
		w.b = binary.BigEndian.AppendUint32(append(w.b, elem), uint32(n))
	case n < 15:
		w.b = append(w.b, byte(n)<<4|compactTypes[elem])
	default:
		w.b = binary.AppendUvarint(append(w.b, 0xf0|compactTypes[elem]), uint64(n))
	}
}

func (w *writer) i32(id int16, v int32) {
	w.field(id, typeI32)
	if w.compact {
		w.b = binary.AppendVarint(w.b, int64(v))
		return
	}
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(v))
}

func (w *writer) i64(id int16, v int64) {
	w.field(id, typeI64)
	if w.compact {
		w.b = binary.AppendVarint(w.b, v)
		return
	}
	w.b = binary.BigEndian.AppendUint64(w.b, uint64(v))
}

func (w *writer) double(id int16, v float64) {
	w.field(id, typeDouble)
	if w.compact {
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
		return
	}
	w.b = binary.BigEndian.AppendUint64(w.b, math.Float64bits(v))
}

func (w *writer) bool(id int16, v bool) {
	switch {
	case w.compact && v:
		w.compactField(id, compactTrue)
	case w.compact:
		w.compactField(id, compactFalse)
	default:
		w.field(id, typeBool)
		w.b = append(w.b, 0)
		if v {
			w.b[len(w.b)-1] = 1
		}
	}
}

func (w *writer) text(id int16, s string) { w.bytes(id, model.Text(s)) }

func (w *writer) bytes(id int16, s string) {
	w.field(id, typeString)
	if w.compact {
		w.b = binary.AppendUvarint(w.b, uint64(len(s)))
	} else {
		w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(s)))
	}
	w.b = append(w.b, s...)
}

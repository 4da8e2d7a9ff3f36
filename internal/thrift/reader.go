package thrift

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/spanloom/spanloom/internal/model"
)

// maxDepth bounds how deep fields that are not Jaeger's may nest.
const maxDepth = 32

var (
	errMalformed = errors.New("thrift: malformed or cut short")
	errTooDeep   = errors.New("thrift: structures nested deeper than 32")
)

// binaryTypes translates the types of the compact protocol; false is true's type with the other value.
var binaryTypes = [16]byte{
	compactTrue: typeBool, compactFalse: typeBool, 3: typeByte, 4: typeI16, 5: typeI32, 6: typeI64, 7: typeDouble,
	8: typeString, 9: typeList, 10: typeSet, 11: typeMap, 12: typeStruct,
}

// reader takes thrift values off b in one of the two protocols. After the first error b is empty and all that is
// read is zero.
type reader struct {
	b       []byte
	compact bool
	err     error
	in      *model.Builder
	flag    bool // in the compact protocol, the value of the bool field whose header was read
	inField bool // whether flag holds the next bool
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// take returns the next n bytes, or nil after failing if there are fewer.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(errMalformed)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errMalformed)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// integer reads a number of size bytes, or of any size in the compact protocol.
func (r *reader) integer(size uint64) int64 {
	if r.compact {
		v := r.uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	b := r.take(size)
	if b == nil {
		return 0
	}
	switch size {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (r *reader) i32() int32 { return int32(r.integer(4)) }
func (r *reader) i64() int64 { return r.integer(8) }

func (r *reader) double() float64 {
	b := r.take(8)
	switch {
	case b == nil:
		return 0
	case r.compact:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

func (r *reader) bool() bool {
	if r.inField {
		r.inField = false
		return r.flag
	}
	return r.byte() == 1
}

func (r *reader) bytes() []byte { return r.take(r.count()) }

// count reads the length of a text or the size of a map. A negative one is larger than whatever is left.
func (r *reader) count() uint64 {
	if r.compact {
		return r.uvarint()
	}
	return uint64(r.integer(4))
}

// structure reads the fields of a struct. visit reads the value of a field and returns true, or returns false for
// one that it does not know, which is skipped.
func (r *reader) structure(visit func(id int16, typ byte) bool) { r.fields(visit, 0) }

func (r *reader) fields(visit func(id int16, typ byte) bool, depth int) {
	var last int16
	for r.err == nil {
		id, typ := r.header(last)
		if typ == typeStop {
			return
		}
		if !visit(id, typ) {
			r.skip(typ, depth+1)
		}
		last = id
	}
}

func (r *reader) header(last int16) (id int16, typ byte) {
	h := r.byte()
	if !r.compact {
		if h == typeStop {
			return 0, typeStop
		}
		return int16(r.integer(2)), h
	}
	if h&0x0f == 0 {
		if h != 0 {
			r.fail(errMalformed)
		}
		return 0, typeStop
	}
	id = last + int16(h>>4)
	if h>>4 == 0 {
		id = int16(r.integer(2))
	}
	typ = binaryTypes[h&0x0f]
	if typ == typeBool {
		r.inField, r.flag = true, h&0x0f == compactTrue
	}
	if typ == typeStop {
		r.fail(errMalformed)
	}
	return id, typ
}

// list reads a list, calling visit to read each element of type want; elements of another type are skipped.
func (r *reader) list(want byte, visit func()) {
	typ, n := r.listHeader()
	for range n {
		switch {
		case r.err != nil:
			return
		case typ == want:
			visit()
		default:
			r.skip(typ, 1)
		}
	}
}

// listHeader fails if there are more elements than bytes: none takes less than one.
func (r *reader) listHeader() (typ byte, n uint64) {
	h := r.byte()
	typ = h
	switch {
	case !r.compact:
		n = uint64(r.integer(4))
	case h>>4 == 15:
		typ, n = binaryTypes[h&0x0f], r.uvarint()
	default:
		typ, n = binaryTypes[h&0x0f], uint64(h>>4)
	}
	if n > uint64(len(r.b)) {
		r.fail(errMalformed)
		return typ, 0
	}
	return typ, n
}

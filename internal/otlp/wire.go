package otlp

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// appendKey appends the tag of a field. Nearly all of them have a number below 16, and so are one byte.
func appendKey(dst []byte, field protowire.Number, typ protowire.Type) []byte {
	if field < 16 {
		return append(dst, byte(field)<<3|byte(typ))
	}
	return appendLongKey(dst, field, typ)
}

// appendLongKey is a function of its own so that the compiler can inline [appendKey].
//
//go:noinline
func appendLongKey(dst []byte, field protowire.Number, typ protowire.Type) []byte {
	return protowire.AppendTag(dst, field, typ)
}

// oneByte is the first length that takes more than one byte.
const oneByte = 0x80

// begin opens a length-delimited field and returns the place of its one-byte length, which end fills in.
func begin(dst []byte, field protowire.Number) ([]byte, int) {
	dst = append(appendKey(dst, field, protowire.BytesType), 0)
	return dst, len(dst) - 1
}

// end closes the field that begin opened.
func end(dst []byte, at int) []byte {
	if size := len(dst) - at - 1; size < oneByte {
		dst[at] = byte(size)
		return dst
	}
	return endLong(dst, at)
}

// endLong closes a field whose length needs more than one byte: its contents move up.
func endLong(dst []byte, at int) []byte {
	size := len(dst) - at - 1
	extra := protowire.SizeVarint(uint64(size)) - 1
	var pad [9]byte
	dst = append(dst, pad[:extra]...)
	copy(dst[at+1+extra:], dst[at+1:at+1+size])
	protowire.AppendVarint(dst[:at], uint64(size))
	return dst
}

func appendText(dst []byte, field protowire.Number, s string) []byte {
	s = model.Text(s)
	dst = appendKey(dst, field, protowire.BytesType)
	if len(s) < oneByte {
		return append(append(dst, byte(len(s))), s...)
	}
	return protowire.AppendString(dst, s)
}

func appendUint(dst []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(appendKey(dst, field, protowire.VarintType), v)
}

// appendCount writes a count that is left out when it is zero.
func appendCount(dst []byte, field protowire.Number, n uint32) []byte {
	if n == 0 {
		return dst
	}
	return appendUint(dst, field, uint64(n))
}

func appendFixed64(dst []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendFixed64(appendKey(dst, field, protowire.Fixed64Type), v)
}

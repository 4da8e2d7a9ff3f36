package otlp

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// begin opens a length-delimited field and returns the place of its one-byte length, which end fills in.
func begin(dst []byte, field protowire.Number) ([]byte, int) {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return append(dst, 0), len(dst)
}

// end closes the field that begin opened, moving its contents up if the length needs more than one byte.
func end(dst []byte, at int) []byte {
	size := len(dst) - at - 1
	if extra := protowire.SizeVarint(uint64(size)) - 1; extra > 0 {
		var pad [9]byte
		dst = append(dst, pad[:extra]...)
		copy(dst[at+1+extra:], dst[at+1:at+1+size])
	}
	protowire.AppendVarint(dst[:at], uint64(size))
	return dst
}

func appendText(dst []byte, field protowire.Number, s string) []byte {
	dst = protowire.AppendTag(dst, field, protowire.BytesType)
	return protowire.AppendString(dst, model.Text(s))
}

func appendUint(dst []byte, field protowire.Number, v uint64) []byte {
	dst = protowire.AppendTag(dst, field, protowire.VarintType)
	return protowire.AppendVarint(dst, v)
}

// appendCount writes a count that is left out when it is zero.
func appendCount(dst []byte, field protowire.Number, n uint32) []byte {
	if n == 0 {
		return dst
	}
	return appendUint(dst, field, uint64(n))
}

func appendFixed64(dst []byte, field protowire.Number, v uint64) []byte {
	dst = protowire.AppendTag(dst, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(dst, v)
}

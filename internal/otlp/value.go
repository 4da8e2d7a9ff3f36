package otlp

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// maxDepth bounds how deep lists and maps nest inside an attribute.
const maxDepth = 32

var errTooDeep = errors.New("otlp: attribute value nested deeper than 32")

// tag appends the KeyValue b to tags.
func (d decoder) tag(tags []model.Tag, b []byte) ([]model.Tag, error) {
	var key string
	var v model.Value
	err := messages(b, func(num protowire.Number, b []byte) (err error) {
		switch num {
		case keyValueKey:
			key = d.in.Key(b)
		case keyValueValue:
			v, err = d.value(b)
		}
		return err
	})
	return d.in.Tag(tags, key, v), err
}

// value reads an AnyValue; of several that it holds the last one counts. Lists and maps become JSON.
func (d decoder) value(b []byte) (v model.Value, err error) {
	err = eachField(b, func(f field) error {
		switch {
		case f.num == anyString && f.typ == protowire.BytesType:
			v = model.String(d.in.Text(f.bytes))
		case f.num == anyBool && f.typ == protowire.VarintType:
			v = model.Bool(f.uint != 0)
		case f.num == anyInt && f.typ == protowire.VarintType:
			v = model.Int(int64(f.uint))
		case f.num == anyDouble && f.typ == protowire.Fixed64Type:
			v = model.Float(math.Float64frombits(f.uint))
		case f.num == anyBytes && f.typ == protowire.BytesType:
			v = d.in.Binary(f.bytes)
		case (f.num == anyArray || f.num == anyMap) && f.typ == protowire.BytesType:
			json, err := appendContainer(nil, f, 0)
			v = model.String(d.in.Text(json))
			return err
		}
		return nil
	})
	return v, err
}

// appendContainer appends the list or map of an AnyValue as plain JSON.
func appendContainer(dst []byte, f field, depth int) ([]byte, error) {
	if depth >= maxDepth {
		return dst, errTooDeep
	}
	open, shut := byte('['), byte(']')
	if f.num == anyMap {
		open, shut = '{', '}'
	}
	dst = append(dst, open)
	first := true
	err := messages(f.bytes, func(num protowire.Number, b []byte) (err error) {
		if num != listValues {
			return nil
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if f.num == anyMap {
			dst, err = appendMember(dst, b, depth)
		} else {
			dst, err = appendAny(dst, b, depth)
		}
		return err
	})
	return append(dst, shut), err
}

func appendMember(dst []byte, b []byte, depth int) ([]byte, error) {
	var key, value []byte
	err := messages(b, func(num protowire.Number, b []byte) error {
		switch num {
		case keyValueKey:
			key = b
		case keyValueValue:
			value = b
		}
		return nil
	})
	if err != nil {
		return dst, err
	}
	return appendAny(append(appendJSONString(dst, string(key)), ':'), value, depth)
}

func appendAny(dst []byte, b []byte, depth int) ([]byte, error) {
	at := len(dst)
	dst = append(dst, "null"...)
	err := eachField(b, func(f field) (err error) {
		switch {
		case f.num == anyString && f.typ == protowire.BytesType:
			dst = appendJSONString(dst[:at], string(f.bytes))
		case f.num == anyBool && f.typ == protowire.VarintType:
			dst = strconv.AppendBool(dst[:at], f.uint != 0)
		case f.num == anyInt && f.typ == protowire.VarintType:
			dst = strconv.AppendInt(dst[:at], int64(f.uint), 10)
		case f.num == anyDouble && f.typ == protowire.Fixed64Type:
			dst = model.AppendJSONFloat(dst[:at], math.Float64frombits(f.uint))
		case f.num == anyBytes && f.typ == protowire.BytesType:
			dst = appendJSONBytes(dst[:at], f.bytes)
		case (f.num == anyArray || f.num == anyMap) && f.typ == protowire.BytesType:
			dst, err = appendContainer(dst[:at], f, depth+1)
		}
		return err
	})
	return dst, err
}

func appendJSONBytes(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

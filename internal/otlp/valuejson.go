package otlp

import (
	"strconv"

	"github.com/spanloom/spanloom/internal/model"
)

// tag reads a KeyValue and appends it to tags.
func (d jsonDecoder) tag(tags []model.Tag) []model.Tag {
	var key string
	var v model.Value
	d.r.object(func(name string) {
		switch name {
		case "key":
			key = d.key()
		case "value":
			v = d.value()
		default:
			d.r.skip()
		}
	})
	return d.in.Tag(tags, key, v)
}

func (d jsonDecoder) value() (v model.Value) {
	d.r.object(func(name string) {
		switch name {
		case "stringValue":
			v = model.String(d.text())
		case "boolValue":
			v = model.Bool(d.r.bool())
		case "intValue":
			v = model.Int(d.r.int())
		case "doubleValue":
			v = model.Float(d.r.float())
		case "bytesValue":
			v = d.in.Binary(d.r.base64())
		case "arrayValue", "kvlistValue":
			v = model.String(d.in.Text(d.container(nil, name, 0)))
		default:
			d.r.skip()
		}
	})
	return v
}

// container appends the list or map of an AnyValue as plain JSON.
func (d jsonDecoder) container(dst []byte, kind string, depth int) []byte {
	if depth >= maxDepth {
		d.r.fail(errTooDeep)
		return dst
	}
	open, shut, element := byte('['), byte(']'), func() { dst = d.any(dst, depth) }
	if kind == "kvlistValue" {
		open, shut, element = '{', '}', func() { dst = d.member(dst, depth) }
	}
	dst = append(dst, open)
	d.r.object(func(name string) {
		d.each(name, "values", func() {
			if dst[len(dst)-1] != open {
				dst = append(dst, ',')
			}
			element()
		})
	})
	return append(dst, shut)
}

func (d jsonDecoder) member(dst []byte, depth int) []byte {
	key, value := "", []byte("null")
	d.r.object(func(name string) {
		switch name {
		case "key":
			key = d.r.text()
		case "value":
			value = d.any(nil, depth)
		default:
			d.r.skip()
		}
	})
	return append(append(appendJSONString(dst, key), ':'), value...)
}

func (d jsonDecoder) any(dst []byte, depth int) []byte {
	at := len(dst)
	dst = append(dst, "null"...)
	d.r.object(func(name string) {
		switch name {
		case "stringValue":
			dst = appendJSONString(dst[:at], d.r.text())
		case "boolValue":
			dst = strconv.AppendBool(dst[:at], d.r.bool())
		case "intValue":
			dst = strconv.AppendInt(dst[:at], d.r.int(), 10)
		case "doubleValue":
			dst = model.AppendJSONFloat(dst[:at], d.r.float())
		case "bytesValue":
			dst = appendJSONBytes(dst[:at], d.r.base64())
		case "arrayValue", "kvlistValue":
			dst = d.container(dst[:at], name, depth+1)
		default:
			d.r.skip()
		}
	})
	return dst
}

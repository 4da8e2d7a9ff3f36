package model

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
)

// appendJSON appends v in JSON. What JSON has no numbers for is written as protobuf's JSON does.
func (v Value) appendJSON(dst []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case KindFloat:
		return AppendJSONFloat(dst, v.Float())
	case KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.str))
		return append(dst, '"')
	case KindEmpty:
		return append(dst, "null"...)
	case KindList:
		return v.appendList(dst)
	case KindMap:
		return v.appendMap(dst)
	}
	return appendString(dst, v.str)
}

func (v Value) appendList(dst []byte) []byte {
	dst = append(dst, '[')
	for i, e := range v.List() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.appendJSON(dst)
	}
	return append(dst, ']')
}

func (v Value) appendMap(dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range v.Fields() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, f.Key), ':')
		dst = f.Value.appendJSON(dst)
	}
	return append(dst, '}')
}

// AppendJSONFloat appends f, and what JSON has no numbers for as protobuf does in JSON.
func AppendJSONFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

func appendString(dst []byte, s string) []byte {
	text, _ := json.Marshal(s) // which never fails for a string
	return append(dst, text...)
}

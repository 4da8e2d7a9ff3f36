package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

var errJSON = errors.New("otlp: malformed JSON")

// jsonReader walks through JSON token by token: a body never becomes a tree, so its size bounds what it costs. After
// the first error it reads nothing more.
type jsonReader struct {
	dec       *json.Decoder
	base64IDs bool
	err       error
}

func newJSONReader(body []byte) *jsonReader {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return &jsonReader{dec: dec}
}

func (r *jsonReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *jsonReader) token() json.Token {
	if r.err != nil {
		return nil
	}
	t, err := r.dec.Token()
	if err != nil {
		r.fail(errJSON)
	}
	return t
}

func (r *jsonReader) more() bool { return r.err == nil && r.dec.More() }

// end fails unless nothing follows.
func (r *jsonReader) end() {
	if r.err != nil {
		return
	}
	if _, err := r.dec.Token(); err != io.EOF {
		r.fail(errJSON)
	}
}

// object calls visit for each member; visit must read its value. Names come in camel case; null is an empty object.
func (r *jsonReader) object(visit func(name string)) {
	switch r.token() {
	case json.Delim('{'):
	case nil:
		return
	default:
		r.fail(errors.New("otlp: JSON has something else where an object belongs"))
		return
	}
	for r.more() {
		name, _ := r.token().(string)
		visit(camel(name))
	}
	r.token()
}

// array calls visit for each element; visit must read it. null is an empty array.
func (r *jsonReader) array(visit func()) {
	switch r.token() {
	case json.Delim('['):
	case nil:
		return
	default:
		r.fail(errors.New("otlp: JSON has something else where an array belongs"))
		return
	}
	for r.more() {
		visit()
	}
	r.token()
}

// skip reads over one value of any kind. How deep it nests is bounded: json.Decoder keeps every level in mind.
func (r *jsonReader) skip() {
	const maxSkipped = 1000
	for depth := 0; r.err == nil; {
		switch r.token() {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxSkipped {
				r.fail(errors.New("otlp: JSON nested deeper than 1000"))
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return
		}
	}
}

// text reads a string; null is "".
func (r *jsonReader) text() string {
	switch v := r.token().(type) {
	case string:
		return v
	case nil:
	default:
		r.fail(errors.New("otlp: JSON has something else where a string belongs"))
	}
	return ""
}

func (r *jsonReader) bool() bool {
	switch v := r.token().(type) {
	case bool:
		return v
	case nil:
	default:
		r.fail(errors.New("otlp: JSON has something else where true or false belongs"))
	}
	return false
}

// scalar reads a number, which may be written as a string.
func (r *jsonReader) scalar() string {
	switch v := r.token().(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	case nil:
	default:
		r.fail(errors.New("otlp: JSON has something else where a number belongs"))
	}
	return "0"
}

// int reads an integer, which may be written as 1.0 or 1e3.
func (r *jsonReader) int() int64 {
	s := r.scalar()
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		r.fail(fmt.Errorf("otlp: %.50q is no 64-bit integer", s))
		return 0
	}
	return int64(f)
}

// uint reads a number that is never negative.
func (r *jsonReader) uint() uint64 {
	s := r.scalar()
	n, err := strconv.ParseUint(s, 10, 64)
	if err == nil {
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f >= 1<<64 {
		r.fail(fmt.Errorf("otlp: %.50q is no unsigned 64-bit integer", s))
		return 0
	}
	return uint64(f)
}

func (r *jsonReader) float() float64 {
	s := r.scalar()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		r.fail(fmt.Errorf("otlp: %.50q is no number", s))
	}
	return f
}

// enum reads a number or one of the names, which all start with prefix, in the order of their numbers.
func (r *jsonReader) enum(prefix string, names []string) uint64 {
	s := r.scalar()
	if name, ok := strings.CutPrefix(s, prefix); ok {
		for i, n := range names {
			if strings.EqualFold(n, name) {
				return uint64(i)
			}
		}
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		r.fail(fmt.Errorf("otlp: %.50q is no value of an enumeration", s))
	}
	return n
}

// hex reads an id.
func (r *jsonReader) hex() []byte {
	s := r.text()
	b, err := hex.DecodeString(s)
	if r.base64IDs && strings.HasSuffix(s, "=") {
		b, err = base64.StdEncoding.DecodeString(s)
	}
	if err != nil {
		r.fail(fmt.Errorf("otlp: id %.50q is not hexadecimal", s))
	}
	return b
}

// base64 reads bytes, in either alphabet, padded or not.
func (r *jsonReader) base64() []byte {
	s := strings.TrimRight(r.text(), "=")
	b, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(s))
	if err != nil {
		r.fail(errors.New("otlp: bytes are not in base64"))
	}
	return b
}

// camel turns a_name, which protobuf's JSON also allows, into aName.
func camel(name string) string {
	head, rest, ok := strings.Cut(name, "_")
	if !ok || head == "" {
		return name
	}
	var b strings.Builder
	b.WriteString(head)
	for part := range strings.SplitSeq(rest, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

package model

import (
	"slices"
	"strconv"
	"strings"
)

// rich is the content of a list or map. It is behind a pointer so that a Value stays small and comparable.
type rich struct {
	list   []Value
	fields []Tag
}

// List makes a value of other values. It keeps values, which must not change any more.
func List(values []Value) Value { return Value{kind: KindList, rich: &rich{list: values}} }

// Map makes a value of keys and values. It keeps fields, which must not change any more.
func Map(fields []Tag) Value { return Value{kind: KindMap, rich: &rich{fields: fields}} }

// Empty makes the value that stands for none, as in JSON's null.
func Empty() Value { return Value{kind: KindEmpty} }

// List returns the elements of a KindList value.
func (v Value) List() []Value {
	if v.rich == nil {
		return nil
	}
	return v.rich.list
}

// Fields returns the content of a KindMap value.
func (v Value) Fields() []Tag {
	if v.rich == nil {
		return nil
	}
	return v.rich.fields
}

// Literal returns v as a value that stands for itself even if its key, such as "error", has a meaning for the kit.
func (v Value) Literal() Value {
	v.literal = true
	return v
}

// IsLiteral reports whether v came from [Value.Literal].
func (v Value) IsLiteral() bool { return v.literal }

// maxWholeBytes bounds a list or map as a whole, however long its values may be.
const maxWholeBytes = 64 << 10

// Whole returns v as a value whose texts are within their limit already, which may be one of characters and not of
// bytes.
func (v Value) Whole() Value {
	v.whole = true
	return v
}

// String returns v as text: numbers in decimal, bytes in base64, lists and maps in JSON.
func (v Value) String() string {
	switch v.kind {
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindBytes, KindList, KindMap, KindEmpty:
		return strings.Trim(string(v.appendJSON(nil)), `"`)
	}
	return v.str
}

// truncateRich shortens the texts in a list or map, and leaves out what does not fit into maxBytes at all.
func (v Value) truncateRich(maxBytes int) (short Value, cut bool) {
	left := maxBytes
	content := *v.rich
	keep := func(key string, e Value) (Value, bool) {
		e, was := e.Truncate(maxBytes)
		left -= len(key) + e.size()
		cut = cut || was || left < 0
		return e, left >= 0
	}
	content.list = slices.Clone(content.list)
	for i := range content.list {
		var fits bool
		if content.list[i], fits = keep("", content.list[i]); !fits {
			content.list = content.list[:i]
			break
		}
	}
	content.fields = slices.Clone(content.fields)
	for i := range content.fields {
		f := &content.fields[i]
		var fits bool
		if f.Value, fits = keep(f.Key, f.Value); !fits {
			content.fields = content.fields[:i]
			break
		}
	}
	if !cut {
		return v, false
	}
	v.rich = &content
	return v, true
}

// size returns about how many bytes v takes.
func (v Value) size() int {
	n := len(v.str) + 8
	for _, e := range v.List() {
		n += e.size()
	}
	for _, f := range v.Fields() {
		n += len(f.Key) + f.Value.size()
	}
	return n
}

package carrier

import (
	"slices"
	"strings"
)

// partial is a carrier that may lack what it takes to read or write it, such as the headers of a message that has none.
// It is then an invalid carrier, as nil maps of other types are.
type partial interface {
	readable() bool
	writable() bool
}

// Multi is a carrier with several values for a key and keys in lower case: gRPC metadata (metadata.MD converts to
// it), the headers of a message. It is an [opentracing.TextMapReader] and, if not nil, an [opentracing.TextMapWriter].
type Multi map[string][]string

// Set replaces the values of key, which it turns to lower case.
func (m Multi) Set(key, val string) { m[strings.ToLower(key)] = []string{val} }

// ForeachKey calls handler for every value of every key and stops at its first error.
func (m Multi) ForeachKey(handler func(key, val string) error) error {
	for k, vs := range m {
		for _, v := range vs {
			if err := handler(k, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Table is a carrier of messages whose headers have values of several types, such as those of AMQP, to whose type
// amqp.Table it converts. It reads values that are strings or []byte and, if not nil, writes strings. Use it with the
// format [opentracing.TextMap], as Jaeger clients do.
type Table map[string]any

func (t Table) readable() bool { return true }
func (t Table) writable() bool { return t != nil }

// Set sets key to val.
func (t Table) Set(key, val string) { t[key] = val }

// Del deletes key.
func (t Table) Del(key string) { delete(t, key) }

// ForeachKey calls handler for every value that is a text and stops at its first error.
func (t Table) ForeachKey(handler func(key, val string) error) error {
	for k, v := range t {
		text, ok := v.(string)
		if b, isBytes := v.([]byte); isBytes {
			text, ok = string(b), true
		}
		if !ok {
			continue
		}
		if err := handler(k, text); err != nil {
			return err
		}
	}
	return nil
}

// List is a carrier of messages whose headers are a list, such as those of Kafka in any client library. H is the
// library's type of one header. Use it with the format [opentracing.TextMap], as Jaeger clients do.
type List[H any] struct {
	Headers *[]H                               // the message's; may point to nil
	Read    func(H) (key string, value []byte) // the parts of a header
	Make    func(key string, value []byte) H   // a header of these parts; nil if the list is only read
}

func (l List[H]) readable() bool { return l.Headers != nil && l.Read != nil }
func (l List[H]) writable() bool { return l.readable() && l.Make != nil }

// Set replaces all headers with this key by one, or adds one.
func (l List[H]) Set(key, val string) {
	h := l.Make(key, []byte(val))
	for i := range *l.Headers {
		if k, _ := l.Read((*l.Headers)[i]); k == key {
			after := slices.DeleteFunc(slices.Clone((*l.Headers)[i+1:]), l.has(key))
			*l.Headers = append(append(slices.Clone((*l.Headers)[:i]), h), after...)
			return
		}
	}
	*l.Headers = append(slices.Clip(*l.Headers), h)
}

// Del deletes all headers with this key.
func (l List[H]) Del(key string) {
	*l.Headers = slices.DeleteFunc(slices.Clone(*l.Headers), l.has(key))
}

func (l List[H]) has(key string) func(H) bool {
	return func(h H) bool {
		k, _ := l.Read(h)
		return k == key
	}
}

// ForeachKey calls handler for every header and stops at its first error.
func (l List[H]) ForeachKey(handler func(key, val string) error) error {
	for _, h := range *l.Headers {
		k, v := l.Read(h)
		if err := handler(k, string(v)); err != nil {
			return err
		}
	}
	return nil
}

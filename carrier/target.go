package carrier

import (
	"net/http"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/rpcmeta"
)

// target is a carrier that is being written.
type target struct {
	headers   map[string][]string
	strings   map[string]string
	writer    opentracing.TextMapWriter
	rpc       *rpcmeta.Outgoing // written to if it is set; headers is then its metadata
	canonical bool              // keys are spelled as net/http does, else in lower case
	metadata  bool              // keys must be legal in gRPC metadata
	lists     []string
	keys      *keyTable // of the Propagator
}

// openTarget returns carrier for writing. In plain text any key is legal.
func openTarget(carrier any, plain bool) (t target, err error) {
	switch c := carrier.(type) {
	case opentracing.HTTPHeadersCarrier:
		t = target{headers: c, canonical: true}
	case http.Header:
		t = target{headers: c, canonical: true}
	case Multi:
		t = target{headers: c, metadata: true}
	case *rpcmeta.Outgoing:
		return target{headers: c.Own, rpc: c, metadata: true}, nil
	case opentracing.TextMapCarrier:
		t = target{strings: c, metadata: !plain}
	case opentracing.TextMapWriter:
		if c, ok := c.(partial); ok && !c.writable() {
			return target{}, opentracing.ErrInvalidCarrier
		}
		return target{writer: c, metadata: !plain}, nil
	}
	if t.headers == nil && t.strings == nil {
		return target{}, opentracing.ErrInvalidCarrier
	}
	return t, nil
}

// binary reports whether values of keys that end in -bin are bytes.
func (t *target) binary() bool { return !t.canonical && t.strings == nil && t.writer == nil }

// empty reports whether nothing is in the target yet.
func (t *target) empty() bool { return t.writer == nil && len(t.headers) == 0 && len(t.strings) == 0 }

// each yields the keys of the target and their values. A writer that cannot be read has none.
func (t *target) each(yield func(key string, v values) bool) {
	for k, list := range t.headers {
		if len(list) > 0 && !yield(k, values{list[0], list[1:]}) {
			return
		}
	}
	for k, v := range t.strings {
		if !yield(k, values{first: v}) {
			return
		}
	}
	if r, ok := t.writer.(opentracing.TextMapReader); ok {
		for _, p := range pairsOf(r, t.keys) {
			if !yield(p.key, values{first: p.value}) {
				return
			}
		}
	}
}

// pairsOf copies the pairs of r with managed keys, so that r can be written to meanwhile.
func pairsOf(r opentracing.TextMapReader, keys *keyTable) (pairs []pair) {
	_ = r.ForeachKey(func(k, v string) error {
		if keys.mayBeManaged(k) {
			pairs = append(pairs, pair{k, v})
		}
		return nil
	})
	return pairs
}

// remove deletes a key, in the spelling in which the target has it.
func (t *target) remove(key string) {
	switch {
	case t.headers != nil:
		delete(t.headers, key)
	case t.strings != nil:
		delete(t.strings, key)
	case t.writer != nil:
		if d, ok := t.writer.(interface{ Del(key string) }); ok {
			d.Del(key)
		}
	}
}

// reserve makes one allocation for n values to come.
func (t *target) reserve(n int) {
	switch {
	case t.rpc != nil:
		t.rpc.Reserve(n)
	case t.headers != nil:
		t.lists = make([]string, n)
	}
}

func (t *target) set(key, value string) {
	switch {
	case t.rpc != nil:
		t.rpc.Put(key, value)
	case t.headers != nil:
		if len(t.lists) == 0 {
			t.lists = make([]string, 1)
		}
		t.lists[0] = value
		t.headers[key] = t.lists[:1:1]
		t.lists = t.lists[1:]
	case t.strings != nil:
		t.strings[key] = value
	case t.writer != nil:
		t.writer.Set(key, value)
	}
}

// setLines sets the lines of a header that is a list. A target with one value for each key gets them as one line.
func (t *target) setLines(key string, lines []string) {
	switch {
	case len(lines) == 0:
		t.remove(key)
	case t.rpc != nil && t.headers != nil && len(lines) > 1:
		t.rpc.PutLines(key, slices.Clone(lines))
	case t.headers != nil && len(lines) > 1:
		t.headers[key] = slices.Clone(lines)
	default:
		t.set(key, strings.Join(lines, ","))
	}
}

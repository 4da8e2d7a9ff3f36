package carrier

import (
	"net/http"

	"github.com/opentracing/opentracing-go"
)

// Indexed is a carrier that finds the values of one key cheaply and lists all keys at a cost, such as a view of gRPC's
// incoming metadata. Extract asks Values for the fixed keys, in lower case, and calls ForeachKey only when a
// uber-trace-id has won, whose baggage it must look for by prefix.
type Indexed interface {
	opentracing.TextMapReader
	Values(key string) []string
}

type pair struct{ key, value string }

// source is a carrier that is being read. The fixed keys are looked up one by one, which is much cheaper than a walk
// over all keys. Only a foreign carrier and one with oddly spelled keys are walked to begin with.
type source struct {
	managed fieldSet // what to look for
	want    fieldSet // what get may still find
	names   *keyNames
	headers map[string][]string
	strings map[string]string
	indexed Indexed

	swept    bool // all keys have been looked at
	walked   *walked
	prefixed int // uberctx-* keys met on a walk
}

// walked holds the fields of a carrier as a walk over its keys has found them.
type walked struct {
	fields [fixedFields]values
	pairs  []pair // with a uberctx- key, of carriers that can only be walked by callback
	found  int    // how many pairs there were
}

func (s *source) open(carrier any, want fieldSet) error {
	s.managed, s.want = want, want
	switch c := carrier.(type) {
	case opentracing.HTTPHeadersCarrier:
		s.openHeaders(c, &headerNames)
	case http.Header:
		s.openHeaders(c, &headerNames)
	case Multi:
		s.openHeaders(c, &lowerNames)
	case opentracing.TextMapCarrier:
		s.strings = c
	case Indexed:
		s.indexed = c
	case opentracing.TextMapReader:
		return s.collect(c)
	default:
		return opentracing.ErrInvalidCarrier
	}
	return nil
}

// openHeaders looks for the leading fields at once and forgets those that are not there. Without the two that nearly
// all callers send, a walk over all keys is due anyway, and tells what there is.
func (s *source) openHeaders(h map[string][]string, names *keyNames) {
	s.headers, s.names = h, names
	if len(h[names[traceparent]]) == 0 && len(h[names[uberTraceID]]) == 0 {
		s.walk()
		return
	}
	for f := range fixedFields {
		if leadFields.has(f) && s.want.has(f) && len(h[names[f]]) == 0 {
			s.want &^= 1 << f
		}
	}
}

// get returns the values of f.
func (s *source) get(f field) values {
	if !s.want.has(f) {
		return values{}
	}
	return s.lookUp(f)
}

func (s *source) lookUp(f field) values {
	switch {
	case s.walked != nil && s.indexed == nil:
		return s.walked.fields[f]
	case s.headers != nil:
		return listed(s.headers[s.names[f]])
	case s.strings != nil:
		return values{first: s.strings[lowerNames[f]]}
	case s.indexed != nil:
		return listed(s.indexed.Values(lowerNames[f]))
	}
	return values{}
}

// countPrefixed looks for uberctx-* keys, so that eachPrefixed can yield them.
func (s *source) countPrefixed() {
	if s.indexed != nil {
		_ = s.collect(s.indexed)
		return
	}
	for k := range s.headers {
		if mayBePrefixed(k) && isPrefixed(k) {
			s.prefixed += len(s.headers[k])
		}
	}
	for k := range s.strings {
		if mayBePrefixed(k) && isPrefixed(k) {
			s.prefixed++
		}
	}
}

// walk looks at all keys, once. From then on get knows fixed keys in any spelling, and prefixed counts uberctx-*. It
// reports whether it has met a spelling that get did not know before.
func (s *source) walk() (odd bool) {
	if s.swept {
		return false
	}
	s.swept, s.want = true, 0
	for k, list := range s.headers {
		if mayBeManaged(k) {
			odd = s.meet(k, len(list), s.names) || odd
		}
	}
	for k := range s.strings {
		odd = s.meet(k, 1, &lowerNames) || odd
	}
	if odd {
		s.respell()
	}
	return odd
}

func (s *source) meet(key string, values int, names *keyNames) (odd bool) {
	f := fieldOf(key)
	switch {
	case f == unmanaged || !s.managed.has(f) || values == 0:
	case f == uberctx:
		s.prefixed += values
	case key != names[f]:
		return true
	default:
		s.want |= 1 << f
	}
	return false
}

// respell files the fixed keys under whatever spelling they have.
func (s *source) respell() {
	s.walked, s.want = new(walked), s.managed
	for k, list := range s.headers {
		for _, v := range list {
			s.walked.add(k, v, s.managed&^(1<<uberctx))
		}
	}
	for k, v := range s.strings {
		s.walked.add(k, v, s.managed&^(1<<uberctx))
	}
}

// collect reads a carrier that can only be walked by callback.
func (s *source) collect(r opentracing.TextMapReader) error {
	w, want := new(walked), s.managed
	err := r.ForeachKey(func(k, v string) error {
		w.add(k, v, want)
		return nil
	})
	s.walked, s.prefixed = w, w.found
	return err
}

func (w *walked) add(key, value string, want fieldSet) {
	switch f := fieldOf(key); {
	case f == unmanaged || !want.has(f):
	case f != uberctx:
		most := 1 // enough to see that there are two
		if listFields.has(f) {
			most = maxLines
		}
		w.fields[f].add(value, most)
	default:
		w.found++
		if len(w.pairs) < maxLines {
			w.pairs = append(w.pairs, pair{key, value})
		}
	}
}

func (s *source) hasBaggage() bool {
	return s.prefixed > 0 || s.want&(1<<baggage|1<<jaegerBaggage) != 0
}

// eachPrefixed yields the keys that start with uberctx-, whole, and their values.
func (s *source) eachPrefixed(yield func(key, value string) bool) {
	for k := range s.headers {
		if !mayBePrefixed(k) || !isPrefixed(k) {
			continue
		}
		for _, v := range s.headers[k] {
			if !yield(k, v) {
				return
			}
		}
	}
	for k, v := range s.strings {
		if mayBePrefixed(k) && isPrefixed(k) && !yield(k, v) {
			return
		}
	}
	if s.walked == nil {
		return
	}
	for _, p := range s.walked.pairs {
		if !yield(p.key, p.value) {
			return
		}
	}
}

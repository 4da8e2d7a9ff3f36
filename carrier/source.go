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

// values are the values of one field. Two parts, so that a string map and a header map fill it without allocating.
type values struct {
	first string
	more  []string
}

const (
	maxLines = 64 // values kept of a field that may have several
	oneLine  = 2  // enough to see that a field which must have one value has several
)

// add adds s unless it is empty or there are max values already.
func (v *values) add(s string, max int) {
	switch {
	case s == "":
	case v.first == "":
		v.first = s
	case len(v.more) < max-1:
		v.more = append(v.more, s)
	}
}

func (v *values) addAll(list []string, max int) {
	if v.first == "" && len(v.more) == 0 && len(list) > 0 {
		v.first, v.more = list[0], list[1:len(list):len(list)]
		return
	}
	for _, s := range list {
		v.add(s, max)
	}
}

func linesOf(f field) int {
	if (fieldSet(1<<tracestate | 1<<baggage | 1<<jaegerBaggage)).has(f) {
		return maxLines
	}
	return oneLine
}

// each yields the values that are not empty.
func (v *values) each(yield func(string) bool) {
	if v.first != "" && !yield(v.first) {
		return
	}
	for _, s := range v.more {
		if s != "" && !yield(s) {
			return
		}
	}
}

type pair struct{ key, value string }

// source is a carrier that is being read: one walk over its keys files the values of the managed fields.
// Prefixed keys are only counted; eachPrefixed walks again if there are any.
type source struct {
	fields   [fixedFields]values
	prefixed int // keys that start with uberctx-

	headers map[string][]string
	strings map[string]string
	pairs   []pair // prefixed pairs of a foreign carrier
	indexed Indexed
}

// open reads the wanted fields of carrier.
func (s *source) open(carrier any, want fieldSet) error {
	switch c := carrier.(type) {
	case opentracing.HTTPHeadersCarrier:
		s.openHeaders(c, want)
	case http.Header:
		s.openHeaders(c, want)
	case Multi:
		s.openHeaders(c, want)
	case opentracing.TextMapCarrier:
		s.openStrings(c, want)
	case Indexed:
		s.indexed = c
	case opentracing.TextMapReader:
		found, err := collect(c, want)
		if err != nil {
			return err
		}
		*s = found
	default:
		return opentracing.ErrInvalidCarrier
	}
	return nil
}

func (s *source) openHeaders(h map[string][]string, want fieldSet) {
	s.headers = h
	for k, v := range h {
		switch f := fieldOf(k); {
		case f == unmanaged || !want.has(f):
		case f == uberctx:
			s.prefixed += len(v)
		default:
			s.fields[f].addAll(v, linesOf(f))
		}
	}
}

func (s *source) openStrings(m map[string]string, want fieldSet) {
	s.strings = m
	for k, v := range m {
		switch f := fieldOf(k); {
		case f == unmanaged || !want.has(f):
		case f == uberctx:
			s.prefixed++
		default:
			s.fields[f].add(v, linesOf(f))
		}
	}
}

// collect reads a carrier that can only be walked through a callback. What the callback sees lives on the heap;
// the result is copied out of it so that other carriers' sources need not.
func collect(r opentracing.TextMapReader, want fieldSet) (source, error) {
	s := new(source)
	err := r.ForeachKey(func(k, v string) error {
		switch f := fieldOf(k); {
		case f == unmanaged || !want.has(f):
		case f == uberctx:
			s.prefixed++
			if len(s.pairs) < maxLines {
				s.pairs = append(s.pairs, pair{k, v})
			}
		default:
			s.fields[f].add(v, linesOf(f))
		}
		return nil
	})
	return *s, err
}

// get returns the values of f, which must be one of the wanted fields.
func (s *source) get(f field) (v values) {
	if s.indexed != nil {
		v.addAll(s.indexed.Values(lowerNames[f]), maxLines)
		return v
	}
	return s.fields[f]
}

// listPrefixed makes eachPrefixed work on an Indexed carrier.
func (s *source) listPrefixed() {
	if s.indexed == nil {
		return
	}
	if found, err := collect(s.indexed, 1<<uberctx); err == nil {
		s.pairs, s.prefixed = found.pairs, found.prefixed
	}
}

// eachPrefixed yields the keys that start with uberctx-, whole, and their values.
func (s *source) eachPrefixed(yield func(key, value string) bool) {
	for k, list := range s.headers {
		if fieldOf(k) != uberctx {
			continue
		}
		for _, v := range list {
			if !yield(k, v) {
				return
			}
		}
	}
	for k, v := range s.strings {
		if fieldOf(k) == uberctx && !yield(k, v) {
			return
		}
	}
	for _, p := range s.pairs {
		if !yield(p.key, p.value) {
			return
		}
	}
}

package carrier

import (
	"net/http"
	"slices"
	"strings"

	"github.com/opentracing/opentracing-go"
)

// source is a carrier that is being read. All keys are looked at once, whatever the type of the carrier, because keys
// may have any spelling and those of some baggage are known only by their prefix. On a map of a request's size that
// is also faster than looking up each of a dozen names.
type source struct {
	p       *Propagator
	headers map[string][]string
	strings map[string]string
	pairs   []pair // with a prefix or of a custom format, of carriers that can only be read by callback

	has      fieldSet // what the carrier has of the fields that are read
	fields   [fixedFields]values
	joined   fieldSet // whose values are lists of their own, and not the carrier's
	binary   bool     // values of keys that end in -bin are bytes
	prefixed int      // how many keys with a prefix, or values of such, there are
}

type pair struct{ key, value string }

// open reads the keys of carrier that belong to the fields in want.
func (s *source) open(p *Propagator, carrier any, want fieldSet) error {
	s.p = p
	switch c := carrier.(type) {
	case opentracing.HTTPHeadersCarrier:
		s.openHeaders(c, want)
	case http.Header:
		s.openHeaders(c, want)
	case Multi:
		s.binary = true
		s.openHeaders(c, want)
	case opentracing.TextMapCarrier:
		s.openStrings(c, want)
	case opentracing.TextMapReader:
		if c, ok := c.(partial); ok && !c.readable() {
			return opentracing.ErrInvalidCarrier
		}
		return s.openReader(c, want)
	default:
		return opentracing.ErrInvalidCarrier
	}
	return nil
}

func (s *source) openHeaders(h map[string][]string, want fieldSet) {
	s.headers = h
	keys := &s.p.keys
	for k := range h { // without the values, which are not needed of most keys
		if !keys.mayBeManaged(k) {
			continue
		}
		f, list := keys.fieldOf(k), h[k]
		if f == unmanaged || !want.has(f) || len(list) == 0 {
			continue
		}
		again := s.has.has(f)
		s.has |= 1 << f
		switch {
		case f == custom:
		case f >= fixedFields:
			s.prefixed += len(list)
		case again:
			s.join(f, list)
		default:
			s.fields[f] = values{list[0], list[1:]}
		}
	}
}

func (s *source) openStrings(m map[string]string, want fieldSet) {
	s.strings = m
	for k, v := range m {
		f := s.p.keys.fieldOf(k)
		if f == unmanaged || !want.has(f) {
			continue
		}
		s.has |= 1 << f
		switch {
		case f == custom:
		case f >= fixedFields:
			s.prefixed++
		default:
			s.fields[f].add(v, f.most())
		}
	}
}

// join adds the values of another spelling of a key. It leaves the carrier's own lists alone.
func (s *source) join(f field, list []string) {
	v := &s.fields[f]
	if !s.joined.has(f) {
		s.joined |= 1 << f
		v.more = slices.Clone(v.more[:min(len(v.more), f.most())])
	}
	for _, one := range list {
		v.add(one, f.most())
	}
}

// most is how many values besides the first are collected of a field: for one that is no list, enough to see that
// there are two.
func (f field) most() int {
	if listFields.has(f) {
		return maxLines
	}
	return 1
}

// openReader reads a carrier that can only be read by callback. What the callback writes to is on the heap.
func (s *source) openReader(r opentracing.TextMapReader, want fieldSet) error {
	found, keys := &source{}, &s.p.keys
	err := r.ForeachKey(func(k, v string) error {
		f := keys.fieldOf(k)
		if f == unmanaged || !want.has(f) {
			return nil
		}
		found.has |= 1 << f
		if f < fixedFields {
			found.fields[f].add(v, f.most())
			return nil
		}
		if f != custom {
			found.prefixed++
		}
		if len(found.pairs) < maxLines {
			found.pairs = append(found.pairs, pair{k, v})
		}
		return nil
	})
	found.p = s.p
	*s = *found
	return err
}

// get returns the values of f.
func (s *source) get(f field) values {
	if !s.has.has(f) {
		return values{}
	}
	return s.fields[f]
}

func (s *source) hasBaggage() bool { return s.has&baggageFields != 0 }

// prefixedPairs yields the whole keys of the field f, which is one with a prefix, and their values.
func (s *source) prefixedPairs(f field) func(yield func(key, value string) bool) {
	keys := &s.p.keys
	return func(yield func(key, value string) bool) {
		for k, list := range s.headers {
			if !keys.mayBeManaged(k) || keys.fieldOf(k) != f {
				continue
			}
			for _, v := range list {
				if !yield(k, v) {
					return
				}
			}
		}
		for k, v := range s.strings {
			if keys.fieldOf(k) == f && !yield(k, v) {
				return
			}
		}
		for _, p := range s.pairs {
			if keys.fieldOf(p.key) == f && !yield(p.key, p.value) {
				return
			}
		}
	}
}

// customValue returns the first value of a key of a custom format, in any letter case.
func (s *source) customValue(key string) string {
	for k, v := range s.prefixedPairs(custom) {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

const maxLines = 64 // values kept of one field, and pairs, when they have to be collected

// values are the values of one field. Two parts, so that a string map and a header map yield it without allocating.
type values struct {
	first string
	more  []string
}

func (v *values) add(s string, most int) {
	switch {
	case v.first == "":
		v.first = s
	case s != "" && len(v.more) < most:
		v.more = append(v.more, s)
	}
}

func (v *values) empty() bool { return v.first == "" && len(v.more) == 0 }

// size is the length of the values joined by commas.
func (v *values) size() int {
	n := len(v.first)
	for _, s := range v.more {
		n += 1 + len(s)
	}
	return n
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

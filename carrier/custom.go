package carrier

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/header"
)

// CustomFormat is a format of one's own, for neighbours that speak none of the built-in ones. Its methods may be
// called concurrently. If one panics, the call counts as one that found or wrote nothing.
//
// Keys that end in -bin are binary, as in gRPC: get returns and set takes the bytes themselves. In metadata they
// travel as they are, elsewhere in base64.
type CustomFormat interface {
	// Name is what [Stats] counts the format's contexts under.
	Name() string
	// Keys lists the keys that the format reads and writes, at most 8, of letters, digits, '-', '_' and '.'. Inject
	// removes them where they are stale. New calls it once.
	Keys() []string
	// Extract returns the context in the values of Keys, of which get returns "" for one that is absent or longer than
	// 512 bytes. Ids, the sampling decision and flags of the result are used, its baggage is not.
	Extract(get func(key string) string) (sc jaeger.SpanContext, ok bool)
	// Inject writes sc. What it sets besides Keys, or cannot be sent, is left out.
	Inject(sc jaeger.SpanContext, set func(key, value string))
}

const (
	maxCustomKeys  = 8
	maxCustomValue = 512
)

type customFormat struct {
	CustomFormat
	name      string
	keys      []keyName
	extracted *atomic.Uint64
}

// addCustom adds the formats and returns what is wrong with them.
func (p *Propagator) addCustom(list []CustomFormat) (wrong []string) {
	for _, c := range list {
		f := customFormat{CustomFormat: c, name: c.Name(), extracted: new(atomic.Uint64)}
		for _, key := range c.Keys() {
			f.keys = append(f.keys, newKeyName(key))
		}
		if len(f.keys) == 0 || len(f.keys) > maxCustomKeys {
			wrong = append(wrong, fmt.Sprintf("format %s has %d keys, not 1 to %d", f.name, len(f.keys), maxCustomKeys))
		}
		p.keys.custom = append(p.keys.custom, f.keys...)
		p.custom = append(p.custom, f)
		p.reads |= 1 << custom
		p.manages |= 1 << custom
	}
	return wrong
}

// readCustom reads the formats of the user's own.
func (in *incoming) readCustom() {
	for i := range in.p.custom {
		c := &in.p.custom[i]
		sc, ok := c.read(in.p, customValues(&in.src))
		if !ok || !sc.IsValid() {
			continue
		}
		r := remoteOf(sc)
		switch {
		case !in.parent.valid():
			in.parent = r
			in.state.b3 = 0
			c.extracted.Add(1)
		case !in.parent.merge(&r):
			in.p.counts.count(conflict)
		}
	}
}

// customValues returns a function that looks up values in a copy of src, which else would move to the heap on every
// request.
func customValues(src *source) func(key string) string {
	binary := src.binary
	copied := &source{p: src.p, headers: src.headers, strings: src.strings, pairs: src.pairs}
	return func(key string) string {
		value := copied.customValue(key)
		if len(value) > maxCustomValue {
			return ""
		}
		if header.IsBinary(key) && !binary {
			value = decodeBinary(value)
		}
		return value
	}
}

func (c *customFormat) read(p *Propagator, get func(string) string) (sc jaeger.SpanContext, ok bool) {
	defer p.containPanic(&ok)
	return c.Extract(get)
}

// containPanic counts a panic of the user's code and sets ok to false.
func (p *Propagator) containPanic(ok *bool) {
	if recover() != nil {
		p.counts.count(hookPanic)
		*ok = false
	}
}

// injectCustom writes sc in the formats of the user's own.
func (p *Propagator) injectCustom(sc jaeger.SpanContext, t *target) {
	for i := range p.custom {
		c := &p.custom[i]
		var pairs []pair
		c.write(p, sc, func(key, value string) {
			if len(pairs) < maxCustomKeys {
				pairs = append(pairs, pair{key, value})
			}
		})
		for _, w := range pairs {
			c.set(t, w.key, w.value)
		}
	}
}

func (c *customFormat) write(p *Propagator, sc jaeger.SpanContext, set func(key, value string)) {
	var ok bool
	defer p.containPanic(&ok)
	c.Inject(sc, set)
}

// set writes one of the format's keys, if value is legal there.
func (c *customFormat) set(t *target, key, value string) {
	for _, name := range c.keys {
		if !strings.EqualFold(name.lower, key) || len(value) > maxCustomValue {
			continue
		}
		if header.IsBinary(name.lower) && !t.binary() {
			value = base64.RawStdEncoding.EncodeToString([]byte(value))
		}
		if header.IsBinary(name.lower) && t.binary() || isPlainHeader(value) {
			t.set(name.in(t.canonical), value)
		}
	}
}

// decodeBinary reads base64 with or without padding, as gRPC has it on the wire. It returns "" if s is neither.
func decodeBinary(s string) string {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return ""
	}
	return string(b)
}

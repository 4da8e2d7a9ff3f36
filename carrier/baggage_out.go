package carrier

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/header"
)

// item is a baggage item to be sent.
type item struct {
	key, value string
	escaped    string // value for a header
	properties string
	size       int // in a baggage header, with separators
	replaced   int // bytes of what others wrote for the same key in a baggage header
}

// outgoingItems returns the items of sc that may travel, in the order of their keys, so that the same ones are within
// the limits each time.
func (p *Propagator) outgoingItems(sc jaeger.SpanContext, st *state) []item {
	if p.stylesOut == 0 {
		return nil
	}
	count := 0
	sc.ForeachBaggageItem(func(k, v string) bool { count++; return true })
	if count == 0 {
		return nil
	}
	items := make([]item, 0, count)
	sc.ForeachBaggageItem(func(k, v string) bool {
		items = append(items, item{key: k, value: v})
		return true
	})
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.key, b.key) })
	kept := items[:0]
	for _, it := range items {
		if !header.IsName(it.key) {
			p.counts.count(baggageMalformed)
			continue
		}
		if !p.allows(it.key, p.baggage.AllowOut) {
			continue
		}
		if len(kept) == p.baggage.MaxItems || len(it.value) > p.baggage.MaxBytes {
			p.counts.count(baggageOverLimit)
			continue
		}
		it.properties = st.propertyOf(it.key, it.value)
		if it.setEscapedSize(); it.size > p.baggage.MaxBytes {
			p.counts.count(baggageOverLimit)
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// setEscapedSize sets size. The value is escaped later, if the item is within the limits.
func (it *item) setEscapedSize() {
	it.escaped = validUTF8(it.value)
	it.size = len(it.key) + len("=,") + escapedLen(it.escaped)
	if it.properties != "" {
		it.size += 1 + len(it.properties)
	}
}

// fit cuts o.items to what the limits leave beside what others wrote, which comes first and is never cut. It returns
// the styles to write: all if all items fit in all of them together, else only the first, which is W3C's if that is
// on.
func (o *outgoing) fit(found *found, plain bool) styleSet {
	p, styles := o.p, o.p.stylesOut
	o.cut(found, styles.has(W3CBaggage))
	if len(o.items) == 0 || styles&(styles-1) == 0 {
		return styles
	}
	total := found.bytes
	for i := range o.items {
		it := &o.items[i]
		total += it.size - it.replaced
		for _, style := range [...]BaggageStyle{JaegerBaggage, PrefixBaggage} {
			if styles.has(style) {
				total += len(p.keys.prefixes[style.field()-uberctx].lower) + len(it.key) + it.length(style, plain)
			}
		}
	}
	if total > p.baggage.MaxBytes {
		p.counts.count(baggageOneStyle)
		return styles & -styles // its lowest bit
	}
	return styles
}

// cut drops the items that exceed a limit, and escapes the others.
func (o *outgoing) cut(found *found, list bool) {
	if found.overLimit && !o.hasRefusals() {
		o.p.counts[baggageOverLimit].Add(uint64(len(o.items)))
		o.items = nil
	}
	size, number, kept := found.bytes, found.items, o.items[:0]
	for _, it := range o.items {
		more, one := it.size, 1
		if list && it.replaced > 0 {
			more, one = it.size-it.replaced, 0
		}
		if number+one > o.p.baggage.MaxItems || size+more > o.p.baggage.MaxBytes {
			o.p.counts.count(baggageOverLimit)
			continue
		}
		size, number = size+more, number+one
		it.escaped = escape(it.escaped, escapedLen(it.escaped))
		kept = append(kept, it)
	}
	o.items = kept
}

// length is the length of the item's value in a style.
func (it *item) length(style BaggageStyle, plain bool) int {
	if plain || style == PrefixBaggage {
		return len(it.value)
	}
	return len(it.escaped)
}

// writePrefixed writes the items in the styles that have a key for each.
func (o *outgoing) writePrefixed(t *target, found *found, styles styleSet, plain bool) {
	for _, style := range [...]BaggageStyle{JaegerBaggage, PrefixBaggage} {
		if !styles.has(style) {
			continue
		}
		prefix := o.p.keys.prefixes[style.field()-uberctx].in(t.canonical)
		for i := range o.items {
			it := &o.items[i]
			value := it.escaped
			if plain || style == PrefixBaggage {
				value = it.value
			}
			if t.metadata && !header.IsKey(it.key) || !plain && style == PrefixBaggage && !isPlainHeader(value) {
				if !styles.has(W3CBaggage) {
					o.p.counts.count(baggageUnsendable)
				}
				continue
			}
			key := prefix + it.key
			switch {
			case t.canonical:
				key = http.CanonicalHeaderKey(key)
			case !plain || t.headers != nil:
				key = strings.ToLower(key)
			}
			if found.prefixed > 0 {
				o.removeRespelled(t, key)
			}
			t.set(key, value)
		}
	}
}

// removeRespelled removes what others wrote for the same key in another letter case.
func (o *outgoing) removeRespelled(t *target, key string) {
	for k := range t.each {
		if k != key && len(k) == len(key) && strings.EqualFold(k, key) {
			t.remove(k)
		}
	}
}

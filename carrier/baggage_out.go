package carrier

import (
	"cmp"
	"slices"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// item is a baggage item to be sent.
type item struct {
	key, value string
	escaped    string // value for a header
	properties string
}

// sendable returns the items of sc that may travel, in the order of their keys, so that the same ones do each time.
func (p *Propagator) sendable(sc jaeger.SpanContext, st *state) []item {
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
	size, kept := 0, items[:0]
	for _, it := range items {
		if !isToken(it.key) {
			p.counts.count(baggageMalformed)
			continue
		}
		if !p.allows(it.key, p.baggage.AllowOut) {
			continue
		}
		it.properties = st.propertyOf(it.key, it.value)
		escaped := escapedLen(it.value)
		more := it.sizeWith(escaped)
		if len(kept) == p.baggage.MaxItems || size+more > p.baggage.MaxBytes {
			p.counts.count(baggageOverLimit)
			continue
		}
		size += more
		it.escaped = escape(it.value, escaped)
		kept = append(kept, it)
	}
	return kept
}

// sizeWith is what the item takes in a baggage header, with separators, if its escaped value has that length.
func (it *item) sizeWith(escaped int) int {
	n := len(it.key) + 1 + escaped + 1
	if it.properties != "" {
		n += 1 + len(it.properties)
	}
	return n
}

func joinBaggage(items []item) string {
	size := 0
	for i := range items {
		size += items[i].sizeWith(len(items[i].escaped))
	}
	var b strings.Builder
	b.Grow(size)
	for i, it := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(it.key)
		b.WriteByte('=')
		b.WriteString(it.escaped)
		if it.properties != "" {
			b.WriteByte(';')
			b.WriteString(it.properties)
		}
	}
	return b.String()
}

package carrier

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/uber/jaeger-client-go"
)

// item is a baggage item to be sent.
type item struct {
	key, value string
	escaped    string // value for the baggage header
	properties string
}

// sendable returns the items of sc that may travel, in the order of their keys, so that the same ones do each time.
func (p *Propagator) sendable(sc jaeger.SpanContext, st *state) []item {
	if p.stylesOut == 0 {
		return nil
	}
	var items []item
	sc.ForeachBaggageItem(func(k, v string) bool {
		if items == nil {
			items = make([]item, 0, 8)
		}
		items = append(items, item{key: k, value: v})
		return true
	})
	if items == nil {
		return nil
	}
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
		it.escaped = url.PathEscape(it.value)
		it.properties = st.propertyOf(it.key, it.value)
		if len(kept) == p.baggage.MaxItems || size+it.size() > p.baggage.MaxBytes {
			p.counts.count(baggageOverLimit)
			continue
		}
		size += it.size()
		kept = append(kept, it)
	}
	return kept
}

// size is what the item takes in a baggage header, with separators.
func (it *item) size() int {
	n := len(it.key) + 1 + len(it.escaped) + 1
	if it.properties != "" {
		n += 1 + len(it.properties)
	}
	return n
}

func joinBaggage(items []item) string {
	size := 0
	for i := range items {
		size += items[i].size()
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

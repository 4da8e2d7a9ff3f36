package carrier

import (
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/header"
)

// addLines adds the lines of a baggage header that others wrote, without the members that must not be passed on. It
// does not read what exceeds the limits: then the span's items are not sent, and there is nothing to merge.
func (f *found) addLines(o *outgoing, v values) {
	for line := range v.each {
		if f.bytes+len(line) > maxBaggageBytes {
			f.overLimit = true
			continue
		}
		if len(f.lines.more) == maxLines {
			f.overLimit = true
			return
		}
		if line = o.withoutRefused(line); line == "" {
			continue
		}
		f.lines.add(line, maxLines)
		f.bytes += len(line) + 1
		valid := isBaggageList(line)
		for member := range strings.SplitSeq(line, ",") {
			if trimSpace(member) == "" {
				continue
			}
			f.items++
			if it := o.itemOf(member); it != nil && valid {
				it.replaced += len(member) + 1
			}
		}
	}
}

// addPrefixed adds an item that others wrote with a key of its own. It removes it if it must not be passed on.
func (f *found) addPrefixed(o *outgoing, t *target, style field, key string, v values) {
	item := o.p.keys.item(style, key)
	for value := range v.each {
		if o.p.refuses(o.state, key, value, item) {
			t.remove(key)
			return
		}
	}
	f.prefixed++
	if o.overwrites(style, item) {
		return
	}
	f.items++
	f.bytes += len(key) + v.size()
}

// overwrites reports whether one of the kit's items has the same key in the prefix field style.
func (o *outgoing) overwrites(style field, key string) bool {
	if style == uberctx && !o.p.stylesOut.has(JaegerBaggage) || style == prefixed && !o.p.stylesOut.has(PrefixBaggage) {
		return false
	}
	return slices.ContainsFunc(o.items, func(it item) bool { return strings.EqualFold(it.key, key) })
}

// itemOf returns the kit's item with the key of member, or nil.
func (o *outgoing) itemOf(member string) *item {
	key := memberKey(member)
	for i := range o.items {
		if o.items[i].key == key {
			return &o.items[i]
		}
	}
	return nil
}

func memberKey(member string) string {
	member, _, _ = strings.Cut(member, ";")
	key, _, _ := strings.Cut(member, "=")
	return trimSpace(key)
}

func (o *outgoing) hasRefusals() bool { return o.state != nil && !o.state.refused.empty() }

// withoutRefused returns line without the members that came in and were refused.
func (o *outgoing) withoutRefused(line string) string {
	if !o.hasRefusals() {
		return line
	}
	return filterMembers(line, func(member string) bool {
		return !o.p.refuses(o.state, "", trimSpace(member), memberKey(member))
	})
}

// filterMembers returns line with the members for which keep is true, as they are.
func filterMembers(line string, keep func(member string) bool) string {
	var b strings.Builder
	for member := range strings.SplitSeq(line, ",") {
		if !keep(member) {
			continue
		}
		if b.Len() == 0 {
			b.Grow(len(line))
		} else {
			b.WriteByte(',')
		}
		b.WriteString(member)
	}
	if b.Len() == len(line) {
		return line
	}
	return trimSpace(b.String())
}

// writeList writes the baggage header for [Propagator.Inject]: the lines of others, without the members that the kit's
// items replace, and those items. Lines that do not parse stay as they are, and the kit's items are then a line of
// their own, where a carrier has lines.
func (o *outgoing) writeList(t *target, found *found, styles styleSet) {
	p := o.p
	if found.hasJaeger {
		o.cleanJaegerBaggage(t)
	}
	if !p.manages.has(baggage) {
		return
	}
	refused := o.hasRefusals()
	if found.overLimit {
		if !refused {
			return // it stays as it is
		}
		p.counts.count(baggageOverLimit) // what is not read may have been refused, and is not sent
	}
	key := p.keys.fixed[baggage].in(t.canonical)
	if found.respelled {
		o.removeRespelled(t, key)
	}
	ours := ""
	if styles.has(W3CBaggage) && len(o.items) > 0 {
		ours = joinBaggage(o.items)
	}
	if found.lines.empty() {
		if ours != "" {
			t.set(key, ours)
		} else {
			t.remove(key) // an empty header, or one of which all is refused
		}
		return
	}
	if ours == "" && !refused && !found.respelled {
		return
	}
	t.setLines(key, o.mergeLines(found, ours, t.headers != nil))
}

// mergeLines returns the lines of others, without the members that the kit's items replace, with those items. separate
// is true for carriers that have lines.
func (o *outgoing) mergeLines(found *found, ours string, separate bool) (lines []string) {
	var parts []string
	for line := range found.lines.each {
		if separate && !isBaggageList(line) {
			lines = append(lines, line)
			continue
		}
		if ours != "" {
			line = filterMembers(line, func(member string) bool { return o.itemOf(member) == nil })
		}
		if line != "" {
			parts = append(parts, line)
		}
	}
	if ours != "" {
		parts = append(parts, ours)
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, ","))
	}
	return lines
}

// cleanJaegerBaggage removes what came in and was refused from the header in which a person lists items.
func (o *outgoing) cleanJaegerBaggage(t *target) {
	if !o.hasRefusals() {
		return
	}
	type respelled struct {
		key   string
		lines []string
	}
	var changed []respelled
	for k, v := range t.each {
		if o.p.keys.fieldOf(k) != jaegerBaggage {
			continue
		}
		c := respelled{key: k}
		for line := range v.each {
			if len(c.lines) == maxLines || len(line) > maxBaggageBytes {
				o.p.counts.count(baggageOverLimit)
				break
			}
			if line = o.withoutRefused(line); line != "" {
				c.lines = append(c.lines, line)
			}
		}
		changed = append(changed, c)
	}
	for _, c := range changed {
		t.setLines(c.key, c.lines)
	}
}

// isBaggageList reports whether line is a baggage header by the grammar of https://www.w3.org/TR/baggage/#definition.
// Empty members are no fault.
func isBaggageList(line string) bool {
	for member := range strings.SplitSeq(line, ",") {
		if member = trimSpace(member); member == "" {
			continue
		}
		item, properties, more := strings.Cut(member, ";")
		key, value, ok := strings.Cut(item, "=")
		if !ok || !header.IsName(trimSpace(key)) || !isBaggageValue(trimSpace(value)) {
			return false
		}
		if _, dropped := checkProperties(properties); more && dropped > 0 {
			return false
		}
	}
	return true
}

func joinBaggage(items []item) string {
	size := 0
	for i := range items {
		size += items[i].size
	}
	var b strings.Builder
	b.Grow(size)
	for i := range items {
		it := &items[i]
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

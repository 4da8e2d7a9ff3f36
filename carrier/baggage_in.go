package carrier

import (
	"net/url"
	"slices"
	"strings"
)

// bag collects the baggage of one carrier, over all styles, within the limits.
type bag struct {
	p          *Propagator
	all        map[string]string // nil if there is none
	hint       int               // how many items to expect
	bytes      int               // of keys and values as they came
	fromW3C    bool              // some may have keys with upper-case letters
	properties []property
}

// readBaggage reads the styles in turn. What W3C says stands: it is the only one that keeps the case of keys.
func (p *Propagator) readBaggage(src *source, plain bool) (b bag) {
	b.p = p
	b.hint = src.prefixed
	if lines := src.get(baggage); lines.some() {
		b.readW3C(&lines)
	}
	if src.prefixed > 0 {
		b.readPrefixed(src, plain)
	}
	if lines := src.get(jaegerBaggage); lines.some() {
		b.readJaegerBaggage(&lines)
	}
	return b
}

// readW3C reads https://www.w3.org/TR/baggage/. Of a header that is too long it reads the members that fit.
func (b *bag) readW3C(lines *values) {
	left := b.p.baggage.MaxBytes
	for line := range lines.each {
		if len(line) > left {
			b.p.counts.count(baggageOverLimit)
			line = line[:strings.LastIndexByte(line[:left+1], ',')+1]
		}
		left -= len(line)
		b.hint = max(b.hint, strings.Count(line, ",")+1)
		for member := range strings.SplitSeq(line, ",") {
			if member = trimSpace(member); member != "" && !b.addMember(member) {
				return
			}
		}
	}
}

// addMember reports whether there may be room for more.
func (b *bag) addMember(member string) bool {
	item, properties, _ := strings.Cut(member, ";")
	key, value, ok := strings.Cut(item, "=")
	key, value = trimSpace(key), trimSpace(value)
	if !ok || !isToken(key) || !printable(value) {
		b.p.counts.count(baggageMalformed)
		return true
	}
	if !b.fits(key, len(member)) {
		return false
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		b.p.counts.count(baggageMalformed)
		return true
	}
	if !b.add(key, decoded, len(member)) {
		return true
	}
	b.fromW3C = true
	b.describe(key, decoded, trimSpace(properties))
	return true
}

// describe keeps the properties of an item, instead of those of an earlier item with its key.
func (b *bag) describe(key, value, text string) {
	b.properties = slices.DeleteFunc(b.properties, func(p property) bool { return p.key == key })
	if text != "" && printable(text) {
		b.properties = append(b.properties, property{key, value, text})
	}
}

// readPrefixed reads uberctx-*. A header carrier spells keys its own way, so they are turned to lower case.
func (b *bag) readPrefixed(src *source, plain bool) {
	n, left := 0, b.p.baggage.MaxBytes
	var lower keyBuffer
	for name, value := range src.eachPrefixed {
		key := name[len(uberctxPrefix):]
		size := len(key) + len(value)
		if n == b.p.baggage.MaxItems {
			break
		}
		n++
		if size > left {
			b.p.counts.count(baggageOverLimit)
			continue
		}
		left -= size
		switch {
		case !isToken(key):
			b.p.counts.count(baggageMalformed)
			continue
		case b.fromW3C && b.known(key) || !b.fits(key, size):
			continue
		}
		if name[0] == 'U' {
			key = lower.fold(key, src.prefixed)
		}
		if !plain {
			if decoded, err := url.QueryUnescape(value); err == nil {
				value = decoded
			}
		}
		b.add(key, value, size)
	}
	b.p.counts[baggageOverLimit].Add(uint64(src.prefixed - n)) // unread, or not even kept by the source
}

// readJaegerBaggage reads key=value pairs that a person typed; the whole header may be escaped.
func (b *bag) readJaegerBaggage(lines *values) {
	left := b.p.baggage.MaxBytes - b.bytes
	for line := range lines.each {
		if left -= len(line); left < 0 {
			b.p.counts.count(baggageOverLimit)
			return
		}
		if decoded, err := url.QueryUnescape(line); err == nil {
			line = decoded
		}
		for member := range strings.SplitSeq(line, ",") {
			if member = trimSpace(member); member == "" {
				continue
			}
			key, value, ok := strings.Cut(member, "=")
			key, value = trimSpace(key), trimSpace(value)
			switch {
			case !ok || !isToken(key):
				b.p.counts.count(baggageMalformed)
			case b.known(key):
			case !b.fits(key, len(member)):
				return
			default:
				b.add(key, value, len(member))
			}
		}
	}
}

// known reports whether key is there already, in any letter case.
func (b *bag) known(key string) bool {
	if _, ok := b.all[key]; ok || !b.fromW3C {
		return ok
	}
	for k := range b.all {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// fits reports whether an item of size bytes is within the limits, and counts it if not.
func (b *bag) fits(key string, size int) bool {
	if _, known := b.all[key]; b.bytes+size <= b.p.baggage.MaxBytes && (known || len(b.all) < b.p.baggage.MaxItems) {
		return true
	}
	b.p.counts.count(baggageOverLimit)
	return false
}

// add adds an item that fits, unless it is denied.
func (b *bag) add(key, value string, size int) bool {
	if !b.p.allows(key, b.p.baggage.AllowIn) {
		return false
	}
	if b.all == nil {
		b.all = make(map[string]string, min(b.hint, b.p.baggage.MaxItems))
	}
	b.all[key] = value
	b.bytes += size
	return true
}

// allows asks the user's functions, and counts a no.
func (p *Propagator) allows(key string, direction func(string) bool) (ok bool) {
	if p.baggage.Allow == nil && direction == nil {
		return true
	}
	defer func() {
		if recover() != nil {
			p.counts.count(hookPanic)
			ok = false
		}
		if !ok {
			p.counts.count(baggageDenied)
		}
	}()
	return (p.baggage.Allow == nil || p.baggage.Allow(key)) && (direction == nil || direction(key))
}

package carrier

import (
	"net/url"
	"strings"

	"github.com/spanloom/spanloom/internal/header"
)

// baggageReader collects the baggage of one carrier, over all styles, within the limits.
type baggageReader struct {
	p          *Propagator
	all        map[string]string // nil if there is none
	hint       int               // how many items to expect
	bytes      int               // of keys and values as they came
	fromW3C    bool              // some may have keys with upper-case letters
	properties []property
	refused    refusals
}

// readBaggage reads the styles in turn. W3C's items win: only its keys keep their letter case.
func (p *Propagator) readBaggage(src *source, plain bool) (b baggageReader) {
	b.p = p
	b.hint = src.prefixed
	if lines := src.get(baggage); !lines.empty() {
		b.readW3C(&lines)
	}
	if src.has&prefixFields != 0 {
		b.readPrefixed(src, plain)
	}
	if lines := src.get(jaegerBaggage); !lines.empty() {
		b.readJaegerBaggage(&lines)
	}
	return b
}

// readW3C reads https://www.w3.org/TR/baggage/. Of a header that is too long it reads the members that fit.
func (b *baggageReader) readW3C(lines *values) {
	left := b.p.baggage.MaxBytes
	for line := range lines.each {
		if len(line) > left {
			b.overLimit(1)
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
func (b *baggageReader) addMember(member string) bool {
	item, properties, _ := strings.Cut(member, ";")
	key, value, ok := strings.Cut(item, "=")
	key, value = trimSpace(key), trimSpace(value)
	if !ok || !header.IsName(key) || !header.IsPrintable(value) {
		b.malformed("", member)
		return true
	}
	if !b.fits(key, len(member)) {
		return false
	}
	decoded, err := url.PathUnescape(value)
	if err != nil {
		b.malformed("", member)
		return true
	}
	decoded = validUTF8(decoded)
	if !b.add(key, decoded, len(member)) {
		b.refused.add("", member)
		return true
	}
	b.fromW3C = true
	b.setProperties(key, decoded, properties)
	return true
}

// readPrefixed reads the items that have a key each. A header carrier spells keys its own way, so they are turned to
// lower case. Values of uberctx- are escaped unless plain; those of baggage- never are.
func (b *baggageReader) readPrefixed(src *source, plain bool) {
	n, left := 0, b.p.baggage.MaxBytes
	var lower keyBuffer
	for _, f := range [...]field{uberctx, prefixed} {
		if !src.has.has(f) {
			continue
		}
		for name, value := range src.prefixedPairs(f) {
			key := src.p.keys.item(f, name)
			size := len(key) + len(value)
			if n == b.p.baggage.MaxItems {
				break
			}
			n++
			if size > left {
				b.overLimit(1)
				continue
			}
			left -= size
			switch {
			case !header.IsName(key):
				b.malformed(name, value)
				continue
			case b.fromW3C && b.known(key) || !b.fits(key, size):
				continue
			}
			if !plain || isUpper(name[0]) {
				key = lower.fold(key, src.prefixed)
			}
			if !b.add(key, unescape(value, f, plain), size) {
				b.refused.add(name, value)
			}
		}
	}
	b.overLimit(src.prefixed - n) // unread, or not even kept by the source
}

// unescape returns the value of an item in the prefix field f. One that is not escaped correctly is taken as it is.
func unescape(value string, f field, plain bool) string {
	if plain || f != uberctx {
		return value
	}
	if decoded, err := url.QueryUnescape(value); err == nil {
		value = decoded
	}
	return validUTF8(value)
}

// readJaegerBaggage reads key=value pairs that a person typed; the whole header may be escaped.
func (b *baggageReader) readJaegerBaggage(lines *values) {
	left := b.p.baggage.MaxBytes - b.bytes
	for line := range lines.each {
		if left -= len(line); left < 0 {
			b.overLimit(1)
			return
		}
		before := len(b.refused.list)
		b.readPairs(line)
		if len(b.refused.list) == before || strings.IndexByte(line, '%') < 0 {
			continue
		}
		b.refused.list = b.refused.list[:before] // these are not as they came
		for member := range strings.SplitSeq(line, ",") {
			b.refused.add("", trimSpace(member))
		}
	}
}

func (b *baggageReader) readPairs(line string) {
	if decoded, err := url.QueryUnescape(line); err == nil {
		line = validUTF8(decoded)
	}
	for member := range strings.SplitSeq(line, ",") {
		if member = trimSpace(member); member == "" {
			continue
		}
		key, value, ok := strings.Cut(member, "=")
		key, value = trimSpace(key), trimSpace(value)
		switch {
		case !ok || !header.IsName(key):
			b.malformed("", member)
		case b.known(key):
		case !b.fits(key, len(member)):
			return
		case !b.add(key, value, len(member)):
			b.refused.add("", member)
		}
	}
}

// known reports whether key is there already, in any letter case.
func (b *baggageReader) known(key string) bool {
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

// malformed counts an item that cannot be read. The Allow functions never see it, so if there are any it is refused.
func (b *baggageReader) malformed(key, value string) {
	b.p.counts.count(baggageMalformed)
	if b.p.filters() {
		b.refused.add(key, value)
	}
}

// overLimit counts n items that are not read. The Allow functions never see them.
func (b *baggageReader) overLimit(n int) {
	if n > 0 {
		b.p.counts[baggageOverLimit].Add(uint64(n))
		b.refused.more = b.refused.more || b.p.filters()
	}
}

// fits reports whether an item of size bytes is within the limits, and counts it if not.
func (b *baggageReader) fits(key string, size int) bool {
	_, known := b.all[key]
	if b.bytes+size <= b.p.baggage.MaxBytes && (known || len(b.all) < b.p.baggage.MaxItems) {
		return true
	}
	b.overLimit(1)
	return false
}

// add adds an item that fits, unless it is denied.
func (b *baggageReader) add(key, value string, size int) bool {
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

// allows calls the user's functions, and counts a no.
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

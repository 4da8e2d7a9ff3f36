package carrier

import (
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/header"
)

// setProperties keeps the properties of an item, instead of those of an earlier item with its key.
func (b *baggageReader) setProperties(key, value, text string) {
	b.properties = slices.DeleteFunc(b.properties, func(p property) bool { return p.key == key })
	text, dropped := checkProperties(trimSpace(text))
	b.p.counts[baggageProperty].Add(uint64(dropped))
	if text != "" {
		b.properties = append(b.properties, property{key, value, text})
	}
}

// checkProperties returns the properties in text that are well formed, without optional white space, and how many are
// not. It allocates only if the text has either.
func checkProperties(text string) (kept string, dropped int) {
	clean := true
	for rest, more := text, text != ""; more; {
		var one string
		one, rest, more = strings.Cut(rest, ";")
		trimmed := trimProperty(one)
		clean = clean && trimmed == one && validProperty(one)
	}
	if clean {
		return text, 0
	}
	var b strings.Builder
	b.Grow(len(text))
	for one := range strings.SplitSeq(text, ";") {
		if one = trimProperty(one); one == "" {
			continue
		}
		if !validProperty(one) {
			dropped++
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(one)
	}
	return b.String(), dropped
}

// trimProperty cuts the optional white space around a property, its key and its value.
func trimProperty(s string) string {
	s = trimSpace(s)
	key, value, ok := strings.Cut(s, "=")
	if k, v := trimSpace(key), trimSpace(value); ok && len(k)+len(v)+1 < len(s) {
		return k + "=" + v
	}
	return s
}

func validProperty(s string) bool {
	key, value, _ := strings.Cut(s, "=")
	return header.IsName(key) && isBaggageValue(value)
}

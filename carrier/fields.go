package carrier

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spanloom/spanloom/internal/header"
)

// field is one of the keys that this package manages.
type field uint8

const (
	traceparent field = iota
	tracestate
	baggage
	uberTraceID
	jaegerDebugID
	jaegerBaggage
	b3
	b3TraceID
	b3SpanID
	b3ParentSpanID
	b3Sampled
	b3Flags
	fixedFields               // the fields above have one name each
	uberctx     = fixedFields // every key that starts with the prefix of JaegerBaggage
	prefixed    = uberctx + 1 // every key that starts with the prefix of PrefixBaggage
	custom      = uberctx + 2 // every key of a custom format
	unmanaged   = uberctx + 3
)

type fieldSet uint16

func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

const (
	prefixFields  = fieldSet(1<<uberctx | 1<<prefixed)
	baggageFields = prefixFields | 1<<baggage | 1<<jaegerBaggage
	// listFields may have several values.
	listFields = fieldSet(1<<tracestate | 1<<baggage | 1<<jaegerBaggage)
)

// defaultNames are the field names in lower case. The names of the Jaeger format can be configured.
var defaultNames = [fixedFields]string{
	"traceparent", "tracestate", "baggage", "uber-trace-id", "jaeger-debug-id", "jaeger-baggage", "b3",
	"x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
}

const (
	defaultUberctxPrefix = "uberctx-"
	defaultBaggagePrefix = "baggage-"
)

// keyName is a key, or the prefix of keys, in the spellings of gRPC metadata and of [http.Header].
type keyName struct{ lower, canonical string }

func newKeyName(s string) keyName {
	lower := strings.ToLower(s)
	return keyName{lower, http.CanonicalHeaderKey(lower)}
}

func (n *keyName) in(canonical bool) string {
	if canonical {
		return n.canonical
	}
	return n.lower
}

// keyTable finds the field that a key names, in any letter case. Extract classifies every key of every request, so
// the table first excludes nearly all other keys by their length and first letters, without comparing them.
type keyTable struct {
	// lengths has a bit for each length of a managed key, by the key's first letter. Keys that a prefix begins can have
	// any length above the prefix's. letters has a bit for each value of nextLetters. Of letters, only the lower five
	// bits count, which are the same for both letter cases.
	lengths  [32]uint64
	letters  [32]uint32
	fixed    [fixedFields]keyName
	prefixes [2]keyName // of uberctx and prefixed
	custom   []keyName
}

// nextLetters is a number below 32 made of the second and third letter of key, which has at least three.
func nextLetters(key string) byte { return (key[1] + 3*key[2]) & 31 }

const maxKeyLength = 63 // of configured names, so that a bit of keyTable.lengths stands for each length

// manage makes the table know the fields in set.
func (t *keyTable) manage(set fieldSet) {
	for f := range fixedFields {
		if set.has(f) {
			t.add(t.fixed[f].lower, false)
		}
	}
	for i := range t.prefixes {
		if set.has(uberctx + field(i)) {
			t.add(t.prefixes[i].lower, true)
		}
	}
	for i := range t.custom {
		t.add(t.custom[i].lower, false)
	}
}

func (t *keyTable) add(name string, prefix bool) {
	bits := uint64(1) << len(name)
	if prefix {
		bits = ^uint64(0) << (len(name) + 1)
	}
	first := name[0] & 31
	t.lengths[first] |= bits
	if len(name) < 3 {
		t.letters[first] = ^uint32(0)
	} else {
		t.letters[first] |= 1 << nextLetters(name)
	}
}

// mayBeManaged reports false for nearly all keys that are unmanaged.
func (t *keyTable) mayBeManaged(key string) bool {
	if len(key) < 2 {
		return false
	}
	first := key[0] & 31
	if t.lengths[first]>>min(len(key), maxKeyLength)&1 == 0 {
		return false
	}
	return len(key) < 3 || t.letters[first]>>nextLetters(key)&1 != 0
}

// fieldOf returns the field that key names, or unmanaged.
func (t *keyTable) fieldOf(key string) field {
	if !t.mayBeManaged(key) {
		return unmanaged
	}
	for f := range fixedFields {
		if name := &t.fixed[f]; len(key) == len(name.lower) &&
			(key == name.canonical || key == name.lower || strings.EqualFold(key, name.lower)) {
			return f
		}
	}
	for i := range t.prefixes {
		if p := t.prefixes[i].lower; len(key) > len(p) && strings.EqualFold(key[:len(p)], p) {
			return uberctx + field(i)
		}
	}
	for i := range t.custom {
		if strings.EqualFold(key, t.custom[i].lower) {
			return custom
		}
	}
	return unmanaged
}

// item returns the baggage key in a key of the prefix field f.
func (t *keyTable) item(f field, key string) string { return key[len(t.prefixes[f-uberctx].lower):] }

// check returns what is wrong with the names: one that is no header name, or two that are the same.
func (t *keyTable) check() (wrong []string) {
	all := append([]keyName(nil), t.fixed[:]...)
	all = append(append(all, t.prefixes[:]...), t.custom...)
	seen := map[string]bool{}
	for _, name := range all {
		switch {
		case !header.IsKey(name.lower) || len(name.lower) < 2 || len(name.lower) >= maxKeyLength:
			wrong = append(wrong, fmt.Sprintf("%q is no name of 2 to %d bytes for a header of HTTP and gRPC",
				name.lower, maxKeyLength-1))
		case seen[name.lower]:
			wrong = append(wrong, fmt.Sprintf("the header %s has two meanings", name.lower))
		}
		seen[name.lower] = true
	}
	return wrong
}

package carrier

import (
	"strings"

	"github.com/uber/jaeger-client-go"
)

// refusals are the baggage items of an incoming request that its span did not get because the caller is not trusted
// with them. A proxy copies the headers of the request to the one that it sends. Inject merges with the baggage that
// it finds there, and must not merge these.
type refusals struct {
	list  []pair // key and value as they came; a member of a header that lists items has no key
	bytes int
	more  bool // there were others than those in list
	all   bool // the caller is trusted with no item, and not only with those that the Allow functions accept
}

func (r *refusals) empty() bool { return len(r.list) == 0 && !r.more }

// add remembers an item. Of a request that brings more than a valid one can, the rest is not remembered.
func (r *refusals) add(key, value string) {
	r.bytes += len(key) + len(value)
	if len(r.list) == maxBaggageItems || r.bytes > maxBaggageBytes {
		r.more = true
		return
	}
	r.list = append(r.list, pair{key, value})
}

// refuses reports whether the item that was found in an outgoing carrier is one that came in and was refused. key is
// its key, which is folded only in fields with a prefix; field is "" for members of a list.
func (p *Propagator) refuses(s *state, field, value, key string) bool {
	if s == nil || s.refused.empty() {
		return false
	}
	for i := range s.refused.list {
		if r := &s.refused.list[i]; r.value == value && strings.EqualFold(r.key, field) {
			return true
		}
	}
	return s.refused.more && (s.refused.all || !p.allows(key, p.baggage.AllowIn))
}

// filters reports whether the application refuses some of the items that come in.
func (p *Propagator) filters() bool { return p.baggage.Allow != nil || p.baggage.AllowIn != nil }

// Untrusted wraps the headers of an incoming request whose caller is not trusted, in any type of carrier. Injecting
// the context of the root span that such a request starts into it writes nothing: it makes [Propagator.Inject] leave
// out the baggage in the headers wherever it finds the same items in those of an outgoing request, to which a proxy
// has copied them. It is injected before anything else in the new trace, by any tracer that has the Propagator.
type Untrusted struct{ Carrier any }

// distrust is Inject for [Untrusted].
func (p *Propagator) distrust(root jaeger.SpanContext, carrier any) {
	src := source{}
	if err := src.open(p, carrier, p.manages&baggageFields); err != nil || !src.hasBaggage() || !root.IsValid() {
		return
	}
	s := state{refused: refusals{all: true}}
	for _, f := range [...]field{baggage, jaegerBaggage} {
		lines := src.get(f)
		for line := range lines.each {
			for member := range strings.SplitSeq(line, ",") {
				if s.refused.more {
					break
				}
				s.refused.add("", trimSpace(member))
			}
		}
	}
	for _, f := range [...]field{uberctx, prefixed} {
		for key, value := range src.prefixedPairs(f) {
			if s.refused.more {
				break
			}
			s.refused.add(key, value)
		}
	}
	s.refused.more = s.refused.more || src.prefixed > maxLines
	p.attach(root, &s)
}

package httpmw

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/model"
)

// boxes remembers values that recent requests had in common, such as their routes and user agents, as the tags
// they become, so that a busy service does not allocate them anew. Memory is bounded whatever callers send.
type boxes struct {
	seed  maphash.Seed
	texts [32]pair[box]
	names [32]pair[spanName]
	peers [32]pair[peer]
}

// pair holds the last two values that fell on it: two of one request can share it.
type pair[T any] [2]atomic.Pointer[T]

func (p *pair[T]) put(v *T) {
	p[1].Store(p[0].Load())
	p[0].Store(v)
}

type box struct {
	text string
	tag  any
}

// maxBoxed bounds the length of remembered strings.
const maxBoxed = 256

func newBoxes() *boxes { return &boxes{seed: maphash.MakeSeed()} }

func (b *boxes) slot(s string) uint64 { return maphash.String(b.seed, s) % uint64(len(b.texts)) }

// text returns s as a tag's value.
func (b *boxes) text(s string) any {
	if len(s) > maxBoxed {
		return s
	}
	slot := &b.texts[b.slot(s)]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.text == s {
			return have.tag
		}
	}
	s = strings.Clone(s)
	entry := &box{s, s}
	slot.put(entry)
	return entry.tag
}

// spanName is an operation name and what it is made of.
type spanName struct{ method, route, name string }

// name returns "METHOD route", or the method alone if there is no route.
func (b *boxes) name(method, route string) string {
	if route == "" {
		return method
	}
	slot := &b.names[(b.slot(route)+uint64(len(method)))%uint64(len(b.names))]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.route == route && have.method == method {
			return have.name
		}
	}
	name := method + " " + route
	slot.put(&spanName{method, strings.Clone(route), name})
	return name
}

// peer returns the tags of a socket address.
func (b *boxes) peer(addr string) *peer {
	if len(addr) > maxBoxed {
		return newPeer(model.Cut(addr, maxBoxed))
	}
	slot := &b.peers[b.slot(addr)]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.addr == addr {
			return have
		}
	}
	p := newPeer(strings.Clone(addr))
	slot.put(p)
	return p
}

package httpmw

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/model"
)

// boxes remembers values that recent requests had in common, such as their routes and user agents, as the tags
// they become, so that a busy service does not allocate them anew. Each slot holds the last value that fell on it:
// memory is bounded whatever callers send.
type boxes struct {
	seed  maphash.Seed
	slots [64]atomic.Pointer[box]
	names [64]atomic.Pointer[spanName]
	peers [64]atomic.Pointer[peer]
}

type box struct {
	text string
	tag  any
}

// maxBoxed bounds the length of remembered strings.
const maxBoxed = 256

func newBoxes() *boxes { return &boxes{seed: maphash.MakeSeed()} }

func (b *boxes) slot(s string) uint64 { return maphash.String(b.seed, s) % uint64(len(b.slots)) }

// text returns s as a tag's value.
func (b *boxes) text(s string) any {
	if len(s) > maxBoxed {
		return s
	}
	slot := &b.slots[b.slot(s)]
	if have := slot.Load(); have != nil && have.text == s {
		return have.tag
	}
	s = strings.Clone(s)
	entry := &box{s, s}
	slot.Store(entry)
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
	if have := slot.Load(); have != nil && have.route == route && have.method == method {
		return have.name
	}
	name := method + " " + route
	slot.Store(&spanName{method, strings.Clone(route), name})
	return name
}

// peer returns the tags of a socket address.
func (b *boxes) peer(addr string) *peer {
	if len(addr) > maxBoxed {
		return newPeer(model.Cut(addr, maxBoxed))
	}
	slot := &b.peers[b.slot(addr)]
	if have := slot.Load(); have != nil && have.addr == addr {
		return have
	}
	p := newPeer(strings.Clone(addr))
	slot.Store(p)
	return p
}

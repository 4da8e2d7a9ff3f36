package httpmw

import (
	"hash/maphash"
	"strings"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// valueCache holds values that recent requests had in common, such as their routes and user agents, boxed as tags, so
// that a busy service does not allocate them again. Its size is bounded whatever callers send.
type valueCache struct {
	seed   maphash.Seed
	texts  [32]slot[entry]
	agents [32]slot[entry]
	names  [32]slot[spanName]
	peers  [32]slot[peer]
}

// slot holds the last two values with one hash. There are two because two values of one request can share a slot.
type slot[T any] [2]atomic.Pointer[T]

func (p *slot[T]) put(v *T) {
	p[1].Store(p[0].Load())
	p[0].Store(v)
}

type entry struct {
	text string
	tag  any
}

// maxCached bounds the length of remembered strings.
const maxCached = 256

func newValueCache() *valueCache { return &valueCache{seed: maphash.MakeSeed()} }

func (c *valueCache) index(s string) uint64 { return maphash.String(c.seed, s) % uint64(len(c.texts)) }

// text returns s as a tag's value.
func (c *valueCache) text(s string) any {
	if len(s) > maxCached {
		return s
	}
	return c.remember(&c.texts, s, func(s string) string { return s })
}

// agent returns a User-Agent header as a tag's value, without the secrets that it quotes. They are masked before the
// value is cut, so that no half of one remains.
func (c *valueCache) agent(s string) any {
	if len(s) > maxCached {
		return model.Cut(semconv.MaskText(s[:min(len(s), 4*maxCached)]), maxCached)
	}
	return c.remember(&c.agents, s, semconv.MaskText)
}

// remember returns what write returns of s.
func (c *valueCache) remember(in *[32]slot[entry], s string, write func(string) string) any {
	slot := &in[c.index(s)]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.text == s {
			return have.tag
		}
	}
	s = strings.Clone(s)
	entry := &entry{s, write(s)}
	slot.put(entry)
	return entry.tag
}

// peer returns the tags of a socket address.
func (c *valueCache) peer(addr string) *peer {
	if len(addr) > maxCached {
		return newPeer(model.Cut(addr, maxCached))
	}
	slot := &c.peers[c.index(addr)]
	for i := range slot {
		if have := slot[i].Load(); have != nil && have.addr == addr {
			return have
		}
	}
	p := newPeer(strings.Clone(addr))
	slot.put(p)
	return p
}

package export

import "github.com/uber/jaeger-client-go"

// ring is a first-in first-out queue that grows up to limit. head and tail count all spans ever popped and pushed,
// so they also number the spans.
type ring struct {
	limit      int
	slots      []*jaeger.Span // length is a power of two
	head, tail uint64
}

func (r *ring) len() int   { return int(r.tail - r.head) }
func (r *ring) full() bool { return r.len() >= r.limit }

func (r *ring) push(s *jaeger.Span) {
	if r.len() == len(r.slots) {
		r.grow()
	}
	r.slots[r.tail&uint64(len(r.slots)-1)] = s
	r.tail++
}

func (r *ring) pop() *jaeger.Span {
	slot := &r.slots[r.head&uint64(len(r.slots)-1)]
	s := *slot
	*slot = nil
	r.head++
	return s
}

func (r *ring) grow() {
	slots := make([]*jaeger.Span, max(2*len(r.slots), 64))
	for i := r.head; i < r.tail; i++ {
		slots[i&uint64(len(slots)-1)] = r.slots[i&uint64(len(r.slots)-1)]
	}
	r.slots = slots
}

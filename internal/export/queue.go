package export

// entryBytes is what an entry takes beside its encoded span.
const entryBytes = 32

// queue is a first-in first-out queue of encoded spans. Entries that were popped stay counted in bytes until they are
// released. head and tail count all entries ever popped and pushed, so they also number the entries.
type queue struct {
	entries    []entry // a ring; its length is a power of two
	head, tail uint64
	blocks     blocks
	waiting    int // bytes of the entries in the ring
	bytes      int // of all entries that are not released
}

// entry is one encoded span.
type entry struct {
	block    *block
	from, to int
}

func (e entry) size() int    { return e.to - e.from + entryBytes }
func (e entry) data() []byte { return e.block.data[e.from:e.to:e.to] }

func (q *queue) len() int { return int(q.tail - q.head) }

// push appends a copy of data.
func (q *queue) push(data []byte) {
	if q.len() == len(q.entries) {
		q.grow()
	}
	e := q.blocks.put(data)
	*q.at(q.tail) = e
	q.tail++
	q.waiting += e.size()
	q.bytes += e.size()
}

// peek returns the oldest entry.
func (q *queue) peek() entry { return *q.at(q.head) }

// pop removes the oldest entry, which the caller releases later.
func (q *queue) pop() entry {
	at := q.at(q.head)
	e := *at
	*at = entry{}
	q.head++
	q.waiting -= e.size()
	return e
}

// release frees the memory of an entry.
func (q *queue) release(e entry) {
	q.bytes -= e.size()
	q.blocks.release(e.block)
}

func (q *queue) at(i uint64) *entry { return &q.entries[i&uint64(len(q.entries)-1)] }

func (q *queue) grow() {
	old := *q
	q.entries = make([]entry, max(2*len(old.entries), 64))
	for i := old.head; i < old.tail; i++ {
		*q.at(i) = *old.at(i)
	}
}

const (
	blockBytes    = 32 << 10
	maxFreeBlocks = 16
)

// blocks hold the bytes of entries, many in one allocation, and are used again once all their entries are released.
type blocks struct {
	current *block // takes the next entry if it has room
	free    []*block
}

type block struct {
	data []byte
	live int // entries not released
}

// put copies data to where it stays until the entry is released. A large span gets a block of its own.
func (b *blocks) put(data []byte) entry {
	to := b.current
	switch {
	case len(data) > blockBytes/4:
		to = &block{data: make([]byte, 0, len(data))}
	case to == nil || cap(to.data)-len(to.data) < len(data):
		to = b.next()
	}
	from := len(to.data)
	to.data = append(to.data, data...)
	to.live++
	return entry{to, from, len(to.data)}
}

func (b *blocks) next() *block {
	if n := len(b.free); n > 0 {
		b.current, b.free = b.free[n-1], b.free[:n-1]
	} else {
		b.current = &block{data: make([]byte, 0, blockBytes)}
	}
	return b.current
}

func (b *blocks) release(of *block) {
	if of.live--; of.live > 0 {
		return
	}
	of.data = of.data[:0]
	if of != b.current && cap(of.data) == blockBytes && len(b.free) < maxFreeBlocks {
		b.free = append(b.free, of)
	}
}

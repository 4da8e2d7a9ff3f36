package export

import "time"

// load is a batch of spans in flight. Its entries are numbered [from, to) without a gap.
type load struct {
	entries  []entry
	spans    [][]byte // the bytes of entries, which stay as they are until the entries are released
	from, to uint64
	bytes    int

	started   time.Time // the first attempt; zero: not tried
	triesLeft int       // further tries that a suspect batch gets; negative: no limit but the time
}

// take moves up to one batch from the queue into flight. p.mu is held.
func (p *Pipeline) take() *load {
	l := &load{
		entries: make([]entry, 0, min(p.queue.len(), p.limits.Batch)), from: p.queue.head, triesLeft: -1,
	}
	for p.queue.len() > 0 && len(l.entries) < p.limits.Batch {
		if n := p.queue.peek().size() - entryBytes; len(l.entries) > 0 && l.bytes+n > p.target {
			break
		}
		l.add(p.queue.pop())
	}
	l.to = p.queue.head
	p.inFlight = append(p.inFlight, l)
	p.room.Broadcast()
	return l
}

func (l *load) add(e entry) {
	l.entries = append(l.entries, e)
	l.spans = append(l.spans, e.data())
	l.bytes += e.size() - entryBytes
}

// split halves a batch that is too large and remembers that its size is.
func (p *Pipeline) split(l *load) (first, second *load) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(l.entries) / 2
	first = &load{from: l.from, to: l.from + uint64(n), triesLeft: -1}
	second = &load{from: first.to, to: l.to, triesLeft: -1}
	for i, e := range l.entries {
		if i < n {
			first.add(e)
		} else {
			second.add(e)
		}
	}
	p.target, p.fullTaken = min(p.target, max(first.bytes, second.bytes)), 0
	for i, in := range p.inFlight {
		if in == l {
			p.inFlight = append(p.inFlight[:i:i], append([]*load{first, second}, p.inFlight[i+1:]...)...)
			break
		}
	}
	return first, second
}

// regrowAfter is how many batches of the remembered size are taken before one of twice that size is tried.
const regrowAfter = 100

// regrow notes that l was taken. A size that was remembered is forgotten in steps: the limit of the receiver may have
// been raised, or it may have refused a batch as too large for what was in it. p.mu is held.
func (p *Pipeline) regrow(l *load) {
	largest := min(p.maxSpan, targetBytes)
	if p.target == largest || l.bytes <= p.target/2 {
		return
	}
	if p.fullTaken++; p.fullTaken == regrowAfter {
		p.target, p.fullTaken = min(2*p.target, largest), 0
	}
}

// land takes a batch out of flight and releases its memory. p.mu is held.
func (p *Pipeline) land(l *load) {
	for i, in := range p.inFlight {
		if in == l {
			p.inFlight = append(p.inFlight[:i], p.inFlight[i+1:]...)
			break
		}
	}
	for _, e := range l.entries {
		p.queue.release(e)
	}
	l.entries, l.spans = nil, nil
	p.room.Broadcast()
	p.notify()
}

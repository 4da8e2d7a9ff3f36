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

// forgetAfter is how long the size of a batch that was too large is remembered. A receiver may raise its limit,
// and a batch that was refused for what is in it would leave batches of one span for ever.
const forgetAfter = 5 * time.Minute

// batchBytes returns the size at which a batch is full. p.mu is held.
func (p *Pipeline) batchBytes() int {
	if largest := min(p.maxSpan, targetBytes); p.target < largest && time.Since(p.shrunk) >= forgetAfter {
		p.target = largest
	}
	return p.target
}

// take moves up to one batch from the queue into flight. p.mu is held.
func (p *Pipeline) take() *load {
	target := p.batchBytes()
	l := &load{
		entries: make([]entry, 0, min(p.queue.len(), p.limits.Batch)), from: p.queue.head, triesLeft: -1,
	}
	for p.queue.len() > 0 && len(l.entries) < p.limits.Batch {
		if n := p.queue.peek().size() - entryBytes; len(l.entries) > 0 && l.bytes+n > target {
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
	p.target, p.shrunk = min(p.target, max(first.bytes, second.bytes)), time.Now()
	for i, in := range p.inFlight {
		if in == l {
			p.inFlight = append(p.inFlight[:i:i], append([]*load{first, second}, p.inFlight[i+1:]...)...)
			break
		}
	}
	return first, second
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

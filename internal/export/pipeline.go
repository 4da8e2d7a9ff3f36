package export

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/quiet"
)

// Pipeline carries spans to one [Sender]. Its methods may be called from any goroutine.
type Pipeline struct {
	name, endpoint string
	limits         Queue
	sender         Sender
	maxSpan        int // bytes of one encoded span
	env            Env
	retry          Retry
	buffers        sync.Pool // of *[]byte, to encode into

	ctx         context.Context // of every Send; has the mark of package quiet
	abort       context.CancelFunc
	wake        chan struct{} // one token: the worker has something to look at
	skipBackoff chan struct{} // one token: do not wait out a back-off
	closing     chan struct{} // closed when Shutdown begins; until is set then
	until       time.Time     // what Shutdown waits for at the longest; zero: no limit
	stopped     chan struct{} // closed when the worker has returned
	losses      lossLog

	mu       sync.Mutex
	room     sync.Cond // for Block: the queue has room, or is closed
	queue    queue
	reserved int       // spans that are counted as queued and not encoded yet
	inFlight []*load   // the worker's, oldest first
	target   int       // bytes that a batch is kept under
	shrunk   time.Time // when that was last lowered
	flushTo  uint64    // entries before this number are sent without waiting for more
	waiters  []waiter
	closed   bool
	gaveUp   bool   // Shutdown is over: every span has been counted
	lost     uint64 // left behind by Shutdown
	failing  bool   // the last attempt to send failed
	stats    Stats  // without Queued, InFlight and Bytes, which are computed
}

type waiter struct {
	target uint64
	done   chan struct{}
}

// Start opens f's sender and runs its pipeline. It needs no network; an error means that the configuration is
// malformed.
func Start(f Factory, q Queue, env Env) (*Pipeline, error) {
	if f.Open == nil {
		return nil, fmt.Errorf("exporter %q has no backend: use a constructor such as OTLPHTTP", f.Name)
	}
	if f.Timeout > 0 {
		q.Timeout = f.Timeout
	}
	if env.Logger == nil {
		env.Logger = slog.New(slog.DiscardHandler)
	}
	sender, err := f.Open(env)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{
		name: f.Name, endpoint: f.Endpoint, limits: q.WithDefaults(), sender: sender, maxSpan: sender.MaxBytes(),
		env: env, retry: f.Retry.withDefaults(), wake: make(chan struct{}, 1), skipBackoff: make(chan struct{}, 1),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	p.target = min(p.maxSpan, targetBytes)
	p.buffers.New = func() any { return new([]byte) }
	p.ctx, p.abort = context.WithCancel(quiet.Context(context.Background()))
	p.room.L = &p.mu
	p.losses.p = p
	go p.work()
	return p, nil
}

// Name is the factory's.
func (p *Pipeline) Name() string { return p.name }

// Endpoint is the factory's, secrets masked.
func (p *Pipeline) Endpoint() string { return p.endpoint }

// Enqueue encodes a finished, sampled span and queues the bytes. It returns at once, unless the policy is [Block] and
// the queue is full: then it waits for room or for Shutdown.
func (p *Pipeline) Enqueue(s *model.Span) {
	if p.Reserve() {
		p.Fulfill(s)
	}
}

// Reserve counts a span as reported and queued, for the caller to hand it over with [Pipeline.Fulfill], also after
// Shutdown. It waits as [Pipeline.Enqueue] does. It returns false if the span is dropped, which is counted, too.
func (p *Pipeline) Reserve() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.limits.Overflow == Block && p.full() && !p.closed {
		p.waitForRoom()
	}
	p.stats.Reported++
	switch {
	case p.closed:
		p.drop(&p.stats.Dropped.Closed, 1)
		return false
	case !p.full():
	case p.limits.Overflow == DropOldest && p.queue.len() > 0:
		p.dropOldest()
	default:
		p.drop(&p.stats.Dropped.QueueFull, 1)
		return false
	}
	p.reserved++
	return true
}

func (p *Pipeline) full() bool { return p.queue.len()+p.reserved >= p.limits.Size }

// Fulfill queues a span that [Pipeline.Reserve] has counted.
func (p *Pipeline) Fulfill(s *model.Span) {
	buf, ok := p.buffers.Get().(*[]byte), false
	defer func() { p.queueEncoded(buf, ok) }() // also if encoding ends the goroutine
	ok = p.encode(buf, s)
}

// queueEncoded queues the span in buf, or drops one that is not ok, and takes buf back.
func (p *Pipeline) queueEncoded(buf *[]byte, ok bool) {
	p.mu.Lock()
	if !p.gaveUp {
		p.put(*buf, ok)
	}
	p.mu.Unlock()
	if cap(*buf) <= blockBytes {
		p.buffers.Put(buf)
	}
}

// Discard drops a span that [Pipeline.Reserve] has counted, since there is no room to wait for its conversion.
func (p *Pipeline) Discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gaveUp {
		return
	}
	p.reserved--
	p.drop(&p.stats.Dropped.QueueFull, 1)
	signal(p.wake)
}

// put queues an encoded span, or drops one that is not ok. p.mu is held.
func (p *Pipeline) put(data []byte, ok bool) {
	size := len(data) + entryBytes
	for p.limits.Overflow == Block && ok && p.fits(size) && !p.hasRoom(size) && !p.closed {
		p.waitForRoom()
	}
	if p.gaveUp { // while this waited
		return
	}
	p.reserved--
	for p.limits.Overflow == DropOldest && ok && p.fits(size) && !p.hasRoom(size) && p.queue.len() > 0 {
		p.dropOldest()
	}
	switch {
	case !ok || !p.fits(size):
		p.drop(&p.stats.Dropped.TooLarge, 1)
	case !p.hasRoom(size) && p.limits.Overflow != Block: // else Shutdown ended the wait
		p.drop(&p.stats.Dropped.QueueFull, 1)
	default:
		p.queue.push(data)
	}
	if n := p.queue.len(); n == 1 || n == p.limits.Batch || p.queue.waiting >= p.batchBytes() || p.closed {
		signal(p.wake)
	}
}

// fits reports whether the queue could hold a span of the size if it were empty.
func (p *Pipeline) fits(size int) bool { return p.limits.Bytes < 0 || size <= p.limits.Bytes }

func (p *Pipeline) hasRoom(size int) bool {
	return p.limits.Bytes < 0 || p.queue.bytes+size <= p.limits.Bytes
}

// waitForRoom waits until the worker has taken or sent something, and makes it do so. p.mu is held.
func (p *Pipeline) waitForRoom() {
	p.flushTo = p.queue.tail
	signal(p.wake)
	p.room.Wait()
}

// dropOldest drops the span that waits longest. p.mu is held.
func (p *Pipeline) dropOldest() {
	p.queue.release(p.queue.pop())
	p.drop(&p.stats.Dropped.QueueFull, 1)
}

// CountLost counts a span that nobody has kept, because it was started after Shutdown.
func (p *Pipeline) CountLost() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Reported++
	p.drop(&p.stats.Dropped.Closed, 1)
}

// drop counts n spans lost. p.mu is held.
func (p *Pipeline) drop(reason *uint64, n uint64) {
	if n > 0 {
		*reason += n
		p.losses.note(lossDelay)
	}
}

// Stats is exact at any moment.
func (p *Pipeline) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Queued = uint64(p.queue.len() + p.reserved)
	for _, l := range p.inFlight {
		s.InFlight += uint64(len(l.entries))
	}
	s.Bytes = uint64(p.queue.bytes)
	return s
}

// pending is the number of spans that are neither delivered nor dropped. p.mu is held.
func (p *Pipeline) pending() (n uint64) {
	for _, l := range p.inFlight {
		n += uint64(len(l.entries))
	}
	return n + uint64(p.queue.len()+p.reserved)
}

func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

package export

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/quiet"
)

// Pipeline carries spans to one Sender. Its methods may be called from any goroutine.
type Pipeline struct {
	name, endpoint string
	queue          Queue
	sender         Sender
	env            Env
	retry          Retry

	ctx     context.Context // of every Send; has the mark of package quiet
	abort   context.CancelFunc
	wake    chan struct{} // one token: the worker has something to look at
	hurry   chan struct{} // one token: do not sit out a back-off
	stopped chan struct{} // closed when the worker has returned
	losses  lossLog

	mu      sync.Mutex
	room    sync.Cond // for Block: the queue has room, or is closed
	ring    ring
	flight  sequence // the spans the worker holds
	flushTo uint64   // spans before this sequence number are sent without waiting for more
	waiters []waiter
	closed  bool
	gaveUp  bool   // Shutdown is over: every fate has been counted
	lost    uint64 // left behind by Shutdown
	stats   Stats  // without Queued and InFlight, which are read off

	closedAt time.Time
}

// sequence is the half-open range [from, to) of the numbers that spans get as they are queued.
type sequence struct{ from, to uint64 }

type waiter struct {
	target uint64
	done   chan struct{}
}

// Start opens f's sender and runs its pipeline. It needs no network; an error tells of a malformed configuration.
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
		name: f.Name, endpoint: f.Endpoint, queue: q.WithDefaults(), sender: sender, env: env, retry: f.Retry.withDefaults(),
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	p.ctx, p.abort = context.WithCancel(quiet.Context(context.Background()))
	p.room.L = &p.mu
	p.ring.limit = p.queue.Size
	p.losses.p = p
	go p.work()
	return p, nil
}

// Name is the factory's.
func (p *Pipeline) Name() string { return p.name }

// Endpoint is the factory's, secrets masked.
func (p *Pipeline) Endpoint() string { return p.endpoint }

// Offer queues a finished, sampled span. It returns at once, unless the policy is Block and the queue is full;
// then it waits for room or for Shutdown.
func (p *Pipeline) Offer(s *jaeger.Span) {
	p.mu.Lock()
	for p.queue.Overflow == Block && p.ring.full() && !p.closed {
		p.room.Wait()
	}
	p.stats.Reported++
	switch {
	case p.closed:
		p.drop(&p.stats.Dropped.Closed, 1)
	case !p.ring.full():
		p.push(s)
	case p.queue.Overflow == DropOldest:
		p.ring.pop().Release()
		p.drop(&p.stats.Dropped.QueueFull, 1)
		p.push(s)
	default:
		p.drop(&p.stats.Dropped.QueueFull, 1)
	}
	p.mu.Unlock()
}

// Lose counts a span that nobody has kept, because it was started after Shutdown.
func (p *Pipeline) Lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Reported++
	p.drop(&p.stats.Dropped.Closed, 1)
}

// push queues s and wakes the worker when it may be idle or has a full batch. p.mu is held.
func (p *Pipeline) push(s *jaeger.Span) {
	p.ring.push(s.Retain())
	if n := p.ring.len(); n == 1 || n == p.queue.Batch {
		signal(p.wake)
	}
}

// drop counts n spans lost. p.mu is held.
func (p *Pipeline) drop(reason *uint64, n uint64) {
	if n > 0 {
		*reason += n
		p.losses.note()
	}
}

// Stats is exact at any moment.
func (p *Pipeline) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Queued = uint64(p.ring.len())
	s.InFlight = p.flight.to - p.flight.from
	return s
}

// pending is the number of spans whose fate is open. p.mu is held.
func (p *Pipeline) pending() uint64 { return uint64(p.ring.len()) + p.flight.to - p.flight.from }

func signal(token chan struct{}) {
	select {
	case token <- struct{}{}:
	default:
	}
}

package export

import (
	"context"
	"fmt"
	"time"
)

const (
	// grace is how long past its deadline Shutdown waits for the worker to notice, so that a result is counted as it
	// was.
	grace = 10 * time.Millisecond

	// absentTimeout is how long Shutdown waits for a backend that has never taken a span: a program without a
	// collector, or with a wrong endpoint, should not take seconds to exit.
	absentTimeout = time.Second
)

// Flush returns when every span enqueued before has been delivered or dropped, or with ctx's error when ctx ends.
func (p *Pipeline) Flush(ctx context.Context) error {
	p.mu.Lock()
	target := p.queue.tail
	if p.settled(target) {
		p.mu.Unlock()
		return nil
	}
	w := waiter{target, make(chan struct{})}
	p.waiters = append(p.waiters, w)
	p.flushTo = max(p.flushTo, target)
	p.mu.Unlock()
	signal(p.wake)
	signal(p.skipBackoff)
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.settled(target) {
		return nil
	}
	p.forget(w)
	return fmt.Errorf("%s: flush: %d spans not sent yet: %w", p.name, p.pending(), context.Cause(ctx))
}

// Shutdown stops taking spans and sends what is queued. A pause that the backend requires and that would last longer is
// cut short for a last try of each batch. When ctx ends first, or after [absentTimeout] if the backend
// has never taken a span, it gives up what is left, counts it as dropped, and returns an error; whatever the backend
// does, it returns 50 ms after the end of ctx at the latest. Later calls wait for the same end and return the same.
func (p *Pipeline) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		p.until, _ = ctx.Deadline()
		if end := time.Now().Add(absentTimeout); p.stats.Delivered == 0 && (p.until.IsZero() || end.Before(p.until)) {
			p.until = end
		}
		close(p.closing)
	}
	p.room.Broadcast()
	p.mu.Unlock()
	signal(p.wake)
	signal(p.skipBackoff)
	defer time.AfterFunc(absentTimeout, p.abandonAbsent).Stop()
	if !await(ctx, 0, p.stopped) {
		p.abort()
		await(ctx, grace, p.stopped)
	}
	write := p.giveUp()
	written := make(chan struct{})
	go func() { defer close(written); write() }()
	await(ctx, grace, written)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost > 0 {
		return fmt.Errorf("%s: shutdown: %d spans not delivered in time", p.name, p.lost)
	}
	return nil
}

// await waits for done until extra after the end of ctx.
func await(ctx context.Context, extra time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	timer := time.NewTimer(extra)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// abandonAbsent ends the attempts to reach a backend that has never taken a span.
func (p *Pipeline) abandonAbsent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stats.Delivered == 0 {
		p.abort()
	}
}

// giveUp counts whatever is neither delivered nor dropped yet as dropped, and returns the log line that is due.
func (p *Pipeline) giveUp() (write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gaveUp = true
	p.countAbandoned(p.pending())
	for p.queue.len() > 0 {
		p.queue.release(p.queue.pop())
	}
	p.inFlight, p.reserved = nil, 0
	p.room.Broadcast()
	p.notify()
	return p.losses.last()
}

// countAbandoned counts n spans that the deadline of Shutdown left behind. p.mu is held.
func (p *Pipeline) countAbandoned(n uint64) {
	p.lost += n
	p.drop(&p.stats.Dropped.Closed, n)
}

// settled reports whether every span before target is delivered or dropped. p.mu is held.
func (p *Pipeline) settled(target uint64) bool {
	for _, l := range p.inFlight {
		if l.from < target {
			return false
		}
	}
	return p.queue.head >= target
}

// notify wakes the flushes that have nothing left to wait for. p.mu is held.
func (p *Pipeline) notify() {
	kept := p.waiters[:0]
	for _, w := range p.waiters {
		if p.settled(w.target) {
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	clear(p.waiters[len(kept):])
	p.waiters = kept
}

// forget removes a flush that stopped waiting. p.mu is held.
func (p *Pipeline) forget(gone waiter) {
	for i, w := range p.waiters {
		if w.done == gone.done {
			p.waiters = append(p.waiters[:i], p.waiters[i+1:]...)
			return
		}
	}
}

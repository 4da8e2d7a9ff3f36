package export

import (
	"context"
	"fmt"
	"time"
)

// grace is how long past its deadline Shutdown waits for the worker to notice, so that a fate is counted as it was.
const grace = 10 * time.Millisecond

// Flush returns when every span offered before has been delivered or dropped, or with ctx's error when ctx ends.
func (p *Pipeline) Flush(ctx context.Context) error {
	p.mu.Lock()
	target := p.ring.tail
	if p.settled(target) {
		p.mu.Unlock()
		return nil
	}
	w := waiter{target, make(chan struct{})}
	p.waiters = append(p.waiters, w)
	p.flushTo = max(p.flushTo, target)
	p.mu.Unlock()
	signal(p.wake)
	signal(p.hurry)
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

// Shutdown stops taking spans and sends what is queued. When ctx ends first, or the backend is not there and never
// was, it gives up what is left, counts it as dropped, and returns an error; whatever the backend does, it returns
// 50 ms after the end of ctx at the latest. Later calls wait for the same end and return the same.
func (p *Pipeline) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	if !p.closed {
		p.closed, p.closedAt = true, time.Now()
	}
	p.room.Broadcast()
	p.mu.Unlock()
	signal(p.wake)
	signal(p.hurry)
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

// giveUp counts whatever has no fate yet as dropped, and returns the log line that is due.
func (p *Pipeline) giveUp() (write func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gaveUp = true
	p.leave(p.pending())
	for p.ring.len() > 0 {
		p.ring.pop().Release()
	}
	p.flight.from = p.flight.to
	p.notify()
	return p.losses.last()
}

// leave counts n spans that the deadline of Shutdown left behind. p.mu is held.
func (p *Pipeline) leave(n uint64) {
	p.lost += n
	p.drop(&p.stats.Dropped.Closed, n)
}

// settled tells whether every span before target has its fate. p.mu is held.
func (p *Pipeline) settled(target uint64) bool {
	return p.ring.head >= target && (p.flight.from == p.flight.to || p.flight.from >= target)
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

package export

import (
	"errors"
	"time"
)

// targetBytes is the size a batch is kept under; only a single larger span makes a larger one. With what a
// message adds to its spans it is within a MiB.
const targetBytes = 1_000_000

// worker is what only the worker's goroutine touches.
type worker struct {
	*Pipeline
	held      *load     // was tried in between the tries of another batch, and is still to be delivered
	notBefore time.Time // the backend takes nothing before
}

// work is the worker: it takes batches and delivers them until the pipeline is closed and empty.
func (p *Pipeline) work() {
	defer close(p.stopped)
	defer p.sender.Close()
	w := &worker{Pipeline: p}
	for l := p.next(); l != nil; l = p.next() {
		w.deliver(l)
	}
}

// next waits for a batch and moves it into flight. It returns nil when the worker is to end.
func (p *Pipeline) next() *load {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due *time.Timer
	for !p.gaveUp && p.ctx.Err() == nil {
		n := p.queue.len()
		switch {
		case p.ready():
			return p.take()
		case p.closed && n == 0 && p.reserved == 0:
			return nil
		case n > 0 && due == nil:
			due = time.NewTimer(p.limits.Interval)
			defer due.Stop()
		}
		p.mu.Unlock()
		expired := p.wait(due)
		p.mu.Lock()
		if expired && p.queue.len() > 0 && !p.gaveUp {
			return p.take()
		}
	}
	return nil
}

// ready reports whether a batch is full, or should go although it is not. p.mu is held.
func (p *Pipeline) ready() bool {
	n := p.queue.len()
	return n >= p.limits.Batch || n > 0 && (p.queue.head < p.flushTo || p.queue.waiting >= p.batchBytes() || p.closed)
}

func (p *Pipeline) wait(due *time.Timer) (expired bool) {
	var expiry <-chan time.Time
	if due != nil {
		expiry = due.C
	}
	select {
	case <-p.wake:
	case <-p.ctx.Done():
	case <-expiry:
		return true
	}
	return false
}

// deliver sends a batch, in parts if it is too large, and then a batch that was held back meanwhile. What the deadline
// of Shutdown leaves over is counted as such.
func (w *worker) deliver(l *load) {
	for todo := []*load{l}; len(todo) > 0; {
		l, todo = todo[0], todo[1:]
		err := w.send(l)
		if errors.As(err, new(*TooLargeError)) && len(l.entries) > 1 {
			first, second := w.split(l)
			todo = append([]*load{first, second}, todo...)
			continue
		}
		w.recordResult(l, err)
		if w.held != nil {
			todo = append(todo, w.held)
			w.held = nil
		}
	}
}

// recordResult counts the spans of l as delivered or dropped, as err says.
func (p *Pipeline) recordResult(l *load, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gaveUp {
		return
	}
	n := uint64(len(l.entries))
	var rejected *RejectedError
	switch d := &p.stats.Dropped; {
	case err == nil:
		p.stats.Delivered += n
	case errors.As(err, &rejected):
		lost := min(uint64(max(rejected.Count, 0)), n)
		p.stats.Delivered += n - lost
		p.stats.LastError = err.Error()
		p.drop(&d.Rejected, lost)
	case errors.As(err, new(*TooLargeError)):
		p.drop(&d.TooLarge, n)
	case p.ctx.Err() != nil, errors.As(err, new(errLastTry)):
		p.countAbandoned(n)
	case errors.As(err, new(*RetryError)):
		p.drop(&d.Failed, n)
	default:
		p.drop(&d.Refused, n)
	}
	p.land(l)
}

// countFailure counts a failed attempt, unless Shutdown cut it off. If that was the only one, it is the last error.
func (p *Pipeline) countFailure(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gaveUp:
		return
	case p.ctx.Err() != nil:
		if p.stats.LastError == "" {
			p.stats.LastError = p.name + ": no answer from " + p.endpoint + " until the shutdown"
		}
		return
	}
	p.failing = true
	p.stats.Failures++
	p.stats.LastError = err.Error()
	p.losses.note(failureDelay)
}

// countSuccess notes that the backend took a batch.
func (p *Pipeline) countSuccess() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failing = false
}

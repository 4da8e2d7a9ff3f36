package export

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// longestAsk is the longest pause that a backend's Retry-After is granted.
	longestAsk = 5 * time.Minute

	// patience is how long Shutdown waits for a backend that is not there and never was: a program without a
	// collector should not take seconds to exit.
	patience = time.Second
)

// send tries to send b until it is taken, refused for good, or out of time.
func (w *worker) send(b Batch) error {
	pause := backoff.ExponentialBackOff{
		InitialInterval: w.retry.Initial, MaxInterval: w.retry.Max, Multiplier: 2, RandomizationFactor: 0.5,
	}
	w.sleep(time.Until(w.notBefore), nil)
	started := time.Now()
	for {
		err := w.attempt(b)
		if err == nil || errors.As(err, new(*RejectedError)) {
			return err
		}
		w.failed(err)
		var retry *RetryError
		if !errors.As(err, &retry) {
			return err
		}
		wait, hurry := pause.NextBackOff(), (<-chan struct{})(w.hurry)
		if asked := min(retry.After, longestAsk); asked > 0 {
			wait, hurry = max(wait, asked), nil
			w.notBefore = time.Now().Add(asked)
		}
		if time.Since(started)+wait > w.retry.Limit || w.ctx.Err() != nil {
			return err
		}
		if retry.Absent && w.hopeless(wait) {
			return errHopeless
		}
		if w.sleep(wait, hurry) {
			pause.Reset()
		}
	}
}

var errHopeless = errors.New("nobody is there, and Shutdown waits no longer")

// hopeless tells whether Shutdown's patience with an absent backend ends within the pause.
func (p *Pipeline) hopeless(pause time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed && p.stats.Delivered == 0 && time.Since(p.closedAt)+pause > patience
}

func (w *worker) attempt(b Batch) (err error) {
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(w.ctx, w.queue.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(w.name + ": sending panicked")
		}
	}()
	return w.sender.Send(ctx, b)
}

// sleep waits for d, or until there is reason to hurry. The end of a Shutdown cuts it short.
func (w *worker) sleep(d time.Duration, hurry <-chan struct{}) (hurried bool) {
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	case <-hurry:
		return true
	}
	return false
}

func (r Retry) withDefaults() Retry {
	if r.Initial <= 0 {
		r.Initial = 200 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 5 * time.Second
	}
	if r.Limit == 0 {
		r.Limit = time.Minute
	}
	r.Max = max(r.Max, r.Initial)
	return r
}

package export

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// maxRetryAfter is the longest pause that a backend's Retry-After is granted.
	maxRetryAfter = 5 * time.Minute

	// suspectTries is how often a batch that the backend may choke on is tried again after another was taken.
	suspectTries = 3
)

// errPoisonous is what a batch is dropped for that the backend fails on while it takes others.
type errPoisonous struct{ error }

// send tries to send l until it is taken, refused for good, or out of time.
func (w *worker) send(l *load) error {
	pause := w.retry.backoff()
	w.sleep(time.Until(w.notBefore), nil)
	l.started = time.Now()
	for {
		err := w.attempt(l)
		var retry *RetryError
		if !errors.As(err, &retry) {
			return err
		}
		if l.triesLeft > 0 {
			if l.triesLeft--; l.triesLeft == 0 {
				return errPoisonous{errors.New(err.Error())}
			}
		}
		wait, skip := pause.NextBackOff(), (<-chan struct{})(w.skipBackoff)
		left := w.retry.Limit - time.Since(l.started)
		if asked := min(retry.After, maxRetryAfter); asked > 0 {
			w.notBefore = time.Now().Add(asked)
			wait, skip = max(wait, min(asked, left)), nil // the last try comes too early rather than never
		}
		if wait > left || w.ctx.Err() != nil {
			return err
		}
		if w.sleep(wait, skip) {
			pause.Reset()
		}
		taken := (retry.Others || retry.Suspect) && w.sendOthers(wait)
		if taken && retry.Suspect && l.triesLeft < 0 {
			l.triesLeft = suspectTries
			pause.Reset()
		}
	}
}

// sendOthers tries the batches behind a suspect one until one of them fails, or for as long as given if all are taken.
// It reports whether one was taken.
func (w *worker) sendOthers(d time.Duration) (taken bool) {
	for end := time.Now().Add(d); w.probe(); {
		if taken = true; !time.Now().Before(end) {
			break
		}
	}
	return taken
}

// probe tries the batch behind a suspect one, once, and reports whether the backend took it. One that failed in a way
// that may pass is held back, to be tried again in between and delivered later.
func (w *worker) probe() (taken bool) {
	l := w.held
	if l == nil {
		l = w.takeNow()
	}
	if l == nil {
		return false
	}
	err := w.attempt(l)
	if errors.As(err, new(*RetryError)) || errors.As(err, new(*TooLargeError)) {
		w.held = l
		return false
	}
	w.held = nil
	w.recordResult(l, err)
	return err == nil || errors.As(err, new(*RejectedError))
}

// takeNow takes what is queued, or returns nil if nothing is.
func (p *Pipeline) takeNow() *load {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.len() == 0 || p.gaveUp || p.ctx.Err() != nil {
		return nil
	}
	return p.take()
}

// attempt sends l once.
func (w *worker) attempt(l *load) (err error) {
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	err = w.call(Batch{Spans: l.spans})
	if err == nil || errors.As(err, new(*RejectedError)) {
		w.countSuccess()
	} else if !errors.As(err, new(*TooLargeError)) || len(l.entries) == 1 {
		w.countFailure(err)
	}
	return err
}

func (w *worker) call(b Batch) (err error) {
	ctx, cancel := context.WithTimeout(w.ctx, w.limits.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = errors.New(w.name + ": sending panicked")
		}
	}()
	return w.sender.Send(ctx, b)
}

// sleep waits for d, or until skip has a token, which it reports. The end of a Shutdown cuts it short.
func (w *worker) sleep(d time.Duration, skip <-chan struct{}) (skipped bool) {
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.ctx.Done():
	case <-skip:
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

func (r Retry) backoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval: r.Initial, MaxInterval: r.Max, Multiplier: 2, RandomizationFactor: 0.5,
	}
}

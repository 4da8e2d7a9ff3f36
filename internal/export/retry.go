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

// errLastTry is what a batch is left behind for at Shutdown, whose last try failed in a way that may pass.
type errLastTry struct{ error }

// send tries to send l until it is taken, refused for good, or out of time.
func (w *worker) send(l *load) error {
	back := w.retry.backoff()
	last := w.sleepUntil(w.notBefore)
	l.started = time.Now()
	for {
		err := w.attempt(l)
		var retry *RetryError
		if !errors.As(err, &retry) {
			return err
		}
		if last {
			return errLastTry{err}
		}
		if l.triesLeft > 0 {
			if l.triesLeft--; l.triesLeft == 0 {
				return errPoisonous{errors.New(err.Error())}
			}
		}
		wait := back.NextBackOff()
		if last, err = w.pause(l, retry, &wait, back.Reset); err != nil {
			return err
		}
		taken := (retry.Others || retry.Suspect) && w.sendOthers(wait)
		if taken && retry.Suspect && l.triesLeft < 0 {
			l.triesLeft = suspectTries
			back.Reset()
		}
	}
}

// pause waits for *wait before the next try of l, or for as long as the backend requires, to which it sets *wait. It
// calls skipped if a Flush cut the pause short, and returns an error if there is no next try.
func (w *worker) pause(l *load, r *RetryError, wait *time.Duration, skipped func()) (last bool, err error) {
	left := w.retry.Limit - time.Since(l.started)
	asked := min(r.After, maxRetryAfter)
	if asked > 0 {
		w.notBefore = time.Now().Add(asked)
		*wait = max(*wait, min(asked, left)) // the last try comes too early rather than never
	}
	next := time.Now().Add(*wait)
	switch {
	case *wait > left || w.ctx.Err() != nil:
		return false, r
	case asked > 0 && w.isClosing() && w.endsBefore(next):
		return false, errLastTry{r}
	case asked > 0:
		return w.sleepUntil(next), nil
	case w.sleep(*wait, w.skipBackoff):
		skipped()
	}
	return false, nil
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

// sleepUntil waits for t, before which the backend takes nothing. If Shutdown ends earlier it returns when that begins,
// and reports that there is time for one try alone: too early, rather than never.
func (w *worker) sleepUntil(t time.Time) (last bool) {
	if !w.sleep(time.Until(t), w.closing) {
		return false
	}
	if w.endsBefore(t) {
		return true
	}
	w.sleep(time.Until(t), nil)
	return false
}

// isClosing reports whether Shutdown has begun.
func (w *worker) isClosing() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// endsBefore reports whether the Shutdown that has begun ends before t.
func (w *worker) endsBefore(t time.Time) bool { return !w.until.IsZero() && w.until.Before(t) }

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

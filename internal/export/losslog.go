package export

import (
	"context"
	"log/slog"
	"time"
)

const (
	lossDelay    = time.Second     // a line gathers what is lost this long after the first loss
	failureDelay = 5 * time.Second // a failure without a loss is worth a line if it lasts this long
	lossInterval = time.Minute     // between two lines
)

// lossLog writes at most one line a minute about failures and lost spans. Its fields are guarded by p.mu; the line
// is written by a goroutine of its own, because a logger may block.
type lossLog struct {
	p        *Pipeline
	timer    *time.Timer // not nil: a line is due
	due      time.Time   // when
	lastLine time.Time
	seen     Stats // as of the last line
	done     bool
}

// note makes sure that what was just counted is logged after the delay, or once a minute has passed since the last
// line.
func (l *lossLog) note(delay time.Duration) {
	if l.done {
		return
	}
	if !l.lastLine.IsZero() {
		delay = max(delay, time.Until(l.lastLine.Add(lossInterval)))
	}
	due := time.Now().Add(delay)
	if l.timer != nil && !due.Before(l.due) {
		return
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.due = due
	var timer *time.Timer
	timer = time.AfterFunc(delay, func() {
		l.p.mu.Lock()
		write := func() {}
		if l.timer == timer && !l.done {
			write = l.line()
		}
		l.p.mu.Unlock()
		write()
	})
	l.timer = timer
}

// last returns the line about what is not logged at shutdown; none if there was a line within the last minute.
func (l *lossLog) last() (write func()) {
	due := l.timer != nil && !l.done
	l.done = true
	if !due || !l.timer.Stop() || (!l.lastLine.IsZero() && time.Since(l.lastLine) < lossInterval) {
		return func() {}
	}
	return l.line()
}

// line prepares the line about all that happened since the last one. Failures that passed without a loss are not worth
// a line.
func (l *lossLog) line() (write func()) {
	now, was := l.p.stats, l.seen
	l.timer, l.seen = nil, now
	lost := now.Dropped.Total() - was.Dropped.Total()
	if lost == 0 && !l.p.failing {
		return func() {}
	}
	l.lastLine = time.Now()
	attrs := []slog.Attr{
		slog.String("exporter", l.p.name),
		slog.String("endpoint", l.p.endpoint),
		slog.Uint64("dropped", lost),
	}
	for _, c := range []struct {
		reason   string
		now, was uint64
	}{
		{"queue_full", now.Dropped.QueueFull, was.Dropped.QueueFull},
		{"failed", now.Dropped.Failed, was.Dropped.Failed},
		{"refused", now.Dropped.Refused, was.Dropped.Refused},
		{"rejected", now.Dropped.Rejected, was.Dropped.Rejected},
		{"too_large", now.Dropped.TooLarge, was.Dropped.TooLarge},
		{"closed", now.Dropped.Closed, was.Dropped.Closed},
		{"failed_attempts", now.Failures, was.Failures},
	} {
		if c.now > c.was {
			attrs = append(attrs, slog.Uint64(c.reason, c.now-c.was))
		}
	}
	if now.Failures > was.Failures || now.Dropped.Rejected > was.Dropped.Rejected || now.LastError != was.LastError {
		attrs = append(attrs, slog.String("error", now.LastError))
	}
	logger := l.p.env.Logger
	return func() {
		defer func() { _ = recover() }() // the logger's handler is the user's
		logger.LogAttrs(context.Background(), slog.LevelWarn, "spans are not delivered", attrs...)
	}
}

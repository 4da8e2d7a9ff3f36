package export

import (
	"context"
	"log/slog"
	"time"
)

const (
	lossDelay    = time.Second // a line gathers what is lost this long after the first loss
	lossInterval = time.Minute
)

// lossLog writes at most one line a minute about failures and lost spans. Its fields are guarded by p.mu; the line
// is written by a goroutine of its own, because a logger may block.
type lossLog struct {
	p        *Pipeline
	timer    *time.Timer // not nil: a line is due
	lastLine time.Time
	seen     Stats // as of the last line
	done     bool
}

// note makes sure that what was just counted is told in time.
func (l *lossLog) note() {
	if l.timer != nil || l.done {
		return
	}
	wait := lossDelay
	if !l.lastLine.IsZero() {
		wait = max(wait, time.Until(l.lastLine.Add(lossInterval)))
	}
	l.timer = time.AfterFunc(wait, func() {
		l.p.mu.Lock()
		write := l.line()
		l.p.mu.Unlock()
		write()
	})
}

// last returns the line about what has not been told at shutdown; none if there was a line within the last minute.
func (l *lossLog) last() (write func()) {
	due := l.timer != nil && !l.done
	l.done = true
	if !due || !l.timer.Stop() || (!l.lastLine.IsZero() && time.Since(l.lastLine) < lossInterval) {
		return func() {}
	}
	return l.line()
}

// line prepares the line about all that happened since the last one.
func (l *lossLog) line() (write func()) {
	now, was := l.p.stats, l.seen
	l.timer, l.lastLine, l.seen = nil, time.Now(), now
	attrs := []slog.Attr{
		slog.String("exporter", l.p.name),
		slog.String("endpoint", l.p.endpoint),
		slog.Uint64("dropped", now.Dropped.Total()-was.Dropped.Total()),
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
	if now.Failures > was.Failures {
		attrs = append(attrs, slog.String("error", now.LastError))
	}
	logger := l.p.env.Logger
	return func() {
		defer func() { _ = recover() }() // the logger's handler is the user's
		logger.LogAttrs(context.Background(), slog.LevelWarn, "spans are not delivered", attrs...)
	}
}

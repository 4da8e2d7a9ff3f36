package export

import (
	"errors"
	"fmt"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
)

// targetBytes is the size a batch is kept under; only a single larger span makes a larger one. With what a
// message adds to its spans it is within a MiB.
const targetBytes = 1_000_000

// work is the worker: it takes spans, encodes them and sends them until the pipeline is closed and empty.
func (p *Pipeline) work() {
	defer close(p.stopped)
	defer p.sender.Close()
	w := &worker{Pipeline: p, max: p.sender.MaxBytes()}
	w.target = min(w.max, targetBytes)
	spans := make([]*jaeger.Span, 0, min(p.queue.Batch, 512))
	for {
		spans = p.next(spans[:0])
		if len(spans) == 0 {
			return
		}
		w.deliver(spans)
	}
}

// next waits for a batch and moves it into flight; none means that the worker may end.
func (p *Pipeline) next(dst []*jaeger.Span) []*jaeger.Span {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due *time.Timer
	for !p.gaveUp && p.ctx.Err() == nil {
		n := p.ring.len()
		switch {
		case n >= p.queue.Batch || p.ring.head < p.flushTo || (n > 0 && p.closed):
			return p.take(dst)
		case n == 0 && p.closed:
			return nil
		case n > 0 && due == nil:
			due = time.NewTimer(p.queue.Interval)
			defer due.Stop()
		}
		p.mu.Unlock()
		expired := p.wait(due)
		p.mu.Lock()
		if expired && p.ring.len() > 0 && !p.gaveUp {
			return p.take(dst)
		}
	}
	return nil
}

func (p *Pipeline) wait(due *time.Timer) (expired bool) {
	if due == nil {
		<-p.wake
		return false
	}
	select {
	case <-p.wake:
		return false
	case <-due.C:
		return true
	}
}

// take moves up to one batch from the queue into flight. p.mu is held.
func (p *Pipeline) take(dst []*jaeger.Span) []*jaeger.Span {
	p.flight.from = p.ring.head
	for p.ring.len() > 0 && len(dst) < p.queue.Batch {
		dst = append(dst, p.ring.pop())
	}
	p.flight.to = p.ring.head
	p.room.Broadcast()
	return dst
}

// settle gives the next n spans in flight their fate, which err tells.
func (p *Pipeline) settle(n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gaveUp {
		return
	}
	p.flight.from += uint64(n)
	var rejected *RejectedError
	var retry *RetryError
	switch d := &p.stats.Dropped; {
	case err == nil:
		p.stats.Delivered += uint64(n)
	case errors.As(err, &rejected):
		lost := min(max(rejected.Count, 0), n)
		p.stats.Delivered += uint64(n - lost)
		p.stats.LastError = err.Error()
		p.drop(&d.Rejected, uint64(lost))
	case errors.Is(err, errTooLarge):
		p.drop(&d.TooLarge, uint64(n))
	case p.ctx.Err() != nil, errors.Is(err, errHopeless):
		p.leave(uint64(n))
	case errors.As(err, &retry):
		p.drop(&d.Failed, uint64(n))
	default:
		p.drop(&d.Refused, uint64(n))
	}
	p.notify()
}

// failed counts a failed attempt, unless Shutdown cut it off.
func (p *Pipeline) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gaveUp || p.ctx.Err() != nil {
		return
	}
	p.stats.Failures++
	p.stats.LastError = err.Error()
	p.losses.note()
}

var errTooLarge = errors.New("span does not fit one message")

// worker is what only the worker's goroutine touches.
type worker struct {
	*Pipeline
	max, target int // bytes of one span, of one batch
	scratch     model.Span
	buf         []byte // encoded spans, not sent
	ends        []int  // of each span in buf
	batch       [][]byte
	notBefore   time.Time // the backend asked not to be sent more until then
}

// deliver encodes and sends spans, in as many batches as their sizes ask for. Those that the deadline of Shutdown leaves
// over stay in flight, for it to count.
func (w *worker) deliver(spans []*jaeger.Span) {
	for i, s := range spans {
		if w.ctx.Err() == nil {
			w.add(s)
		}
		s.Release()
		spans[i] = nil
	}
	w.flush(len(w.buf))
}

// add encodes a span into buf, and sends what was there if both are too much for one batch.
func (w *worker) add(s *jaeger.Span) {
	start := len(w.buf)
	if err := w.encode(s); err != nil {
		w.buf = w.buf[:start]
		w.flush(start)
		w.settle(1, err)
		return
	}
	if len(w.buf) > w.target {
		w.flush(start)
	}
	w.ends = append(w.ends, len(w.buf))
}

// flush sends buf[:end], if that holds a span, and keeps the rest.
func (w *worker) flush(end int) {
	if n := len(w.ends); n > 0 {
		w.batch = w.batch[:0]
		start := 0
		for _, end := range w.ends {
			w.batch = append(w.batch, w.buf[start:end:end])
			start = end
		}
		w.ends = w.ends[:0]
		w.settle(n, w.send(Batch{Spans: w.batch}))
	}
	rest := w.buf[end:]
	if cap(w.buf) > 4*targetBytes {
		w.buf = nil
	}
	w.buf = append(w.buf[:0], rest...)
}

// encode appends s to buf, trimmed if it would not fit a message alone.
func (w *worker) encode(s *jaeger.Span) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: encoding it panicked", errTooLarge)
		}
	}()
	start := len(w.buf)
	w.scratch.Load(s, w.env.Limits, w.env.TraceState)
	w.buf = w.sender.AppendSpan(w.buf, &w.scratch)
	if len(w.buf)-start <= w.max {
		return nil
	}
	var ok bool
	if w.buf, ok = appendTrimmed(w.buf[:start], w.sender, &w.scratch, w.max); !ok {
		return errTooLarge
	}
	return nil
}

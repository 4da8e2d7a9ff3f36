package traceview

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	maxStreams = 64
	breather   = 250 * time.Millisecond // at most so often does a stream speak
	rest       = 20                     // a stream pauses so many times as long as its last event took to make
	heartbeat  = 20 * time.Second
	writeTime  = 2 * time.Second // for a page to take an event; it may connect again
)

// feed is one stream: what it selects and what its page knows.
type feed struct {
	v       *View
	filter  filter
	limit   int
	reset   bool // the page's rows are not of this view, or were cleared
	change  uint64
	epoch   uint64
	names   uint64
	known   names
	matches map[model.TraceID]bool // nil: not yet counted
	open    openFeed
}

// eventID names a state of a view. A page sends it when it connects again.
func eventID(boot string, epoch, change uint64) string {
	return fmt.Sprintf("%s.%d.%d", boot, epoch, change)
}

func (v *View) newFeed(r *http.Request) *feed {
	q := r.URL.Query()
	s := &feed{v: v, limit: limitOf(q)}
	s.filter, _ = listFilter(q)
	_, s.epoch = v.store.state()
	since := q.Get("since")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		since = last
	}
	if since == "" {
		return s
	}
	boot, rest, _ := strings.Cut(since, ".")
	epoch, change, _ := strings.Cut(rest, ".")
	e, err := strconv.ParseUint(epoch, 10, 64)
	s.change, s.epoch = 0, e
	if n, err2 := strconv.ParseUint(change, 10, 64); err == nil && err2 == nil && boot == v.boot {
		s.change = n
	} else {
		s.reset = true
		_, s.epoch = v.store.state()
	}
	return s
}

// events sends a page, by server-sent events, the traces of its filter that are new, have changed or went.
func (v *View) events(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := v.streams.begin(r)
	if !ok {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "traceview: too many live pages", http.StatusServiceUnavailable)
		return
	}
	defer end()
	s := v.newFeed(r)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // not every writer has deadlines
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	began := time.Now()
	for event := "retry: 2000\n" + s.event(); ; {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := io.WriteString(w, event); err != nil {
			return
		}
		if control.Flush() != nil { // also where the writer cannot flush: then the browser requests every two seconds
			return
		}
		_ = control.SetWriteDeadline(time.Time{})
		pause := max(breather, rest*time.Since(began))
		changed := s.await(ctx, pause)
		if ctx.Err() != nil {
			return
		}
		began = time.Now()
		event = ": alive\n\n"
		if changed {
			event = s.event()
		}
	}
}

// await waits until a trace or what is in flight has changed, and then a little longer. It returns false when a sign of
// life is due first, or ctx is done.
func (s *feed) await(ctx context.Context, pause time.Duration) bool {
	changed := s.v.store.changed()
	if now, _ := s.v.store.state(); now == s.change && !s.awaitAny(ctx, changed) {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *feed) awaitAny(ctx context.Context, changed <-chan struct{}) bool {
	alive := time.NewTimer(heartbeat)
	defer alive.Stop()
	look := time.NewTicker(openPause)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-alive.C:
			return false
		case <-changed:
			return true
		case <-look.C:
			if s.open.html(s) != s.open.sent {
				return true
			}
		}
	}
}

package traceview

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
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

// update is what a stream sends: the rows that changed, the lines that count, and what there is to filter by.
type update struct {
	Reset   bool        `json:"reset,omitempty"` // all rows that the page has are gone
	Rows    []updateRow `json:"rows"`
	Gone    []string    `json:"gone,omitempty"` // ids of rows that went
	Matched string      `json:"matched"`
	Kept    string      `json:"kept"`
	Open    string      `json:"open,omitempty"` // what is in flight, if that has changed
	names
}

// names are left out when they are as in the stream's last event.
type names struct {
	Services   []string `json:"services,omitempty"`
	Operations []string `json:"operations,omitempty"`
	Hints      string   `json:"hints,omitempty"` // options of the search field
}

type updateRow struct {
	ID    string `json:"id"`
	Spans int    `json:"spans"`
	HTML  string `json:"html"`
}

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

// event returns what happened since the last event. Only traces that changed are looked at; which of the others match
// is remembered.
func (s *feed) event() string {
	v := s.v
	d := v.store.deltaSince(s.change)
	up := update{Rows: []updateRow{}, Reset: s.reset || d.epoch != s.epoch || !d.complete}
	if up.Reset {
		s.matches = nil
		d = v.store.deltaSince(0)
	}
	s.filter.prepare(v.store)
	if s.matches == nil {
		s.countMatches()
	}
	s.reset, s.change, s.epoch = false, d.change, d.epoch
	for _, id := range d.gone {
		if s.matches[id] {
			delete(s.matches, id)
			up.Gone = append(up.Gone, traceHex(id))
		}
	}
	s.fillRows(&up, d.changed)
	if d.names != s.names {
		s.names = d.names
		s.fillNames(&up)
	}
	up.Matched = fragment("matched", listContent{
		Matched: len(s.matches), Limit: s.limit, Order: s.filter.order, Filtered: s.filter.narrows(),
	})
	up.Kept = fragment("kept", v.kept())
	if html := s.open.html(s); html != s.open.sent {
		up.Open, s.open.sent = html, html
	}
	data, _ := json.Marshal(up) // strings and numbers always can be
	return fmt.Sprintf("id: %s\nevent: traces\ndata: %s\n\n", eventID(v.boot, d.epoch, d.change), data)
}

// countMatches looks at every trace, once for each stream.
func (s *feed) countMatches() {
	s.matches = map[model.TraceID]bool{}
	for _, snap := range s.v.store.all() {
		if s.filter.match(&snap) {
			s.matches[snap.id] = true
		}
	}
}

// fillRows adds the rows of the traces that changed and match, the first of them that the page has room for.
func (s *feed) fillRows(up *update, changed []snapshot) {
	found := changed[:0]
	for _, snap := range changed {
		switch {
		case s.filter.match(&snap):
			s.matches[snap.id] = true
			found = append(found, snap)
		case s.matches[snap.id]: // it was slow, and is not any longer
			delete(s.matches, snap.id)
			up.Gone = append(up.Gone, traceHex(snap.id))
		}
	}
	slices.SortFunc(found, func(a, b snapshot) int { return s.filter.order.compare(a.summary, b.summary) })
	for _, snap := range found[:min(len(found), s.limit)] {
		row := s.v.shownRow(snap, "")
		up.Rows = append(up.Rows, updateRow{traceHex(snap.id), snap.spans, fragment("shown", row)})
	}
}

func (s *feed) fillNames(up *update) {
	if all := s.v.store.serviceNames(); !slices.Equal(all, s.known.Services) {
		up.Services, s.known.Services = all, all
	}
	if all := s.v.store.busiestOperations(s.filter.service); !slices.Equal(all, s.known.Operations) {
		up.Operations, s.known.Operations = all, all
	}
	if up.Services != nil || up.Operations != nil {
		up.Hints = fragment("hints", listContent{Services: s.known.Services, Operations: s.known.Operations})
	}
}

// fragment is one part of the list page.
func fragment(name string, data any) string {
	var b strings.Builder
	_ = listTemplate.ExecuteTemplate(&b, name, data) // a builder takes everything
	return strings.Map(readable, b.String())
}

package traceview

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxStreams = 64
	breather   = 250 * time.Millisecond // at most so often does a stream speak
	heartbeat  = 20 * time.Second
	writeTime  = 2 * time.Second // for a page to take an event; it may ask again
)

// streams are the live connections of browsers.
type streams struct {
	mu      sync.Mutex
	cancels map[*http.Request]context.CancelFunc
	servers map[*http.Server]bool
}

// begin registers a stream. It ends with the request, the view's Close, or its server's Shutdown, which would
// otherwise wait for it in vain.
func (s *streams) begin(r *http.Request) (context.Context, context.CancelFunc, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cancels) >= maxStreams {
		return nil, nil, false
	}
	if s.cancels == nil {
		s.cancels = map[*http.Request]context.CancelFunc{}
		s.servers = map[*http.Server]bool{}
	}
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && !s.servers[srv] {
		s.servers[srv] = true
		srv.RegisterOnShutdown(s.endAll)
	}
	ctx, cancel := context.WithCancel(r.Context())
	s.cancels[r] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.cancels, r)
	}, true
}

func (s *streams) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cancel := range s.cancels {
		cancel()
	}
}

// update is what a stream sends: the rows that changed, the lines that count, and what there is to filter by.
type update struct {
	Rows    []updateRow `json:"rows"`
	Matched string      `json:"matched"`
	Kept    string      `json:"kept"`
	names
}

// names are left out when they are as in the stream's last event.
type names struct {
	Services   []string `json:"services,omitempty"`
	Operations []string `json:"operations,omitempty"`
}

type updateRow struct {
	ID    string `json:"id"`
	Spans int    `json:"spans"`
	HTML  string `json:"html"`
}

// events tells a page, by server-sent events, which traces of its filter are new or have changed.
func (v *View) events(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := v.streams.begin(r)
	if !ok {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "traceview: too many live pages", http.StatusServiceUnavailable)
		return
	}
	defer end()
	q := r.URL.Query()
	f, _ := listFilter(q)
	limit := limitOf(q)
	f.since, _ = strconv.ParseUint(q.Get("since"), 10, 64)
	if last, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		f.since = last
	}
	if f.since > v.store.changes() {
		f.since = 0 // the program was started anew since
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // not every writer has deadlines
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	if r.Method == http.MethodHead {
		return
	}
	var told names
	_, err := io.WriteString(w, "retry: 2000\n\n")
	for err == nil {
		if flushed := control.Flush(); flushed != nil {
			if errors.Is(flushed, http.ErrNotSupported) && v.store.changes() != f.since {
				_, _ = io.WriteString(w, v.event(&f, limit, &told)) // the browser asks again, so that the page is live by polling
			}
			return
		}
		_ = control.SetWriteDeadline(time.Time{})
		event := ": alive\n\n"
		if v.await(ctx, f.since) {
			event = v.event(&f, limit, &told)
		}
		if ctx.Err() != nil {
			return
		}
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		_, err = io.WriteString(w, event)
	}
}

// await waits for a change after since and then a little longer. It returns false when a sign of life is due first,
// or ctx is done.
func (v *View) await(ctx context.Context, since uint64) bool {
	changed := v.store.changed()
	if v.store.changes() == since {
		alive := time.NewTimer(heartbeat)
		defer alive.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-alive.C:
			return false
		case <-changed:
		}
	}
	pause := time.NewTimer(breather)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
		return true
	}
}

// event writes what matches the filter and has changed since the last event, and updates told.
func (v *View) event(f *filter, limit int, told *names) string {
	last := v.store.changes()
	found, matched := v.store.find(f, limit)
	f.since = last
	up := update{Rows: []updateRow{}}
	if all := v.store.serviceNames(); !slices.Equal(all, told.Services) {
		up.Services, told.Services = all, all
	}
	if all := v.store.operationNames(f.service); !slices.Equal(all, told.Operations) {
		up.Operations, told.Operations = all, all
	}
	for _, sum := range found {
		up.Rows = append(up.Rows, updateRow{traceHex(sum.id), sum.spans, fragment("row", v.row(sum, 0, ""))})
	}
	up.Matched = fragment("matched", listContent{Matched: matched, Limit: limit, Filtered: f.narrows()})
	up.Kept = fragment("kept", v.kept())
	data, _ := json.Marshal(up) // strings and numbers always can be
	return fmt.Sprintf("id: %d\nevent: traces\ndata: %s\n\n", last, data)
}

// fragment is one part of the list page.
func fragment(name string, data any) string {
	var b strings.Builder
	_ = listTemplate.ExecuteTemplate(&b, name, data) // a builder takes everything
	return strings.Map(readable, b.String())
}

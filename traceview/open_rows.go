package traceview

import (
	"slices"
	"sync"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	openRows  = 10                     // requests in flight that a page shows
	openLive  = time.Second            // a request that is shorter never enters a page that is open
	openPause = 500 * time.Millisecond // between two looks at what is in flight
)

// openTrace is what is in flight of one trace in this process, on its way to a page.
type openTrace struct {
	id    model.TraceID
	spans []openSpan // the oldest first
}

// inFlight is what was in flight a moment ago, so that many pages cost no more than one.
type inFlight struct {
	mu     sync.Mutex
	at     time.Time
	traces []openTrace
}

// openContent is the part of the list page above the traces.
type openContent struct {
	Rows   []openRow
	Hidden int // requests in flight beyond Rows
	Total  int
}

// openRow is a request in flight.
type openRow struct {
	ID, Name, Link string
	Start          openAge
	Inner          string // the span that has been open longest of those without an open child; "" if it is the request
	InnerStart     openAge
	InnerMore      int    // further such spans
	Usual          string // what half of the spans of that name take
	Slow           bool
}

// openAge is a time since which a span is open: in microseconds for scripts, and as text.
type openAge struct {
	Micros int64
	Text   string
}

func openAgeOf(start, now time.Time) openAge {
	return openAge{start.UnixMicro(), showDuration(max(now.Sub(start), 0))}
}

// openTraces returns the requests in flight, the oldest first.
func (v *View) openTraces() []openTrace {
	var traces []openTrace
	at := map[model.TraceID]int{}
	for _, sp := range v.open.list(v.now()) {
		id := model.TraceID{High: sp.context.TraceID().High, Low: sp.context.TraceID().Low}
		i, known := at[id]
		if !known {
			i = len(traces)
			at[id] = i
			traces = append(traces, openTrace{id: id})
		}
		traces[i].spans = append(traces[i].spans, sp)
	}
	return traces
}

// recentOpenTraces is openTraces for live pages. The result may be a little old.
func (v *View) recentOpenTraces() []openTrace {
	f := &v.inFlight
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); f.at.IsZero() || now.Sub(f.at) > openPause/2 {
		f.at, f.traces = now, v.openTraces()
	}
	return f.traces
}

// openContent shows those of the traces for which shown is true.
func (v *View) openContent(traces []openTrace, base string, shown func(*openTrace) bool) openContent {
	c := openContent{Total: len(traces)}
	for i := range traces {
		switch {
		case !shown(&traces[i]):
		case len(c.Rows) < openRows:
			c.Rows = append(c.Rows, v.openRow(&traces[i], base))
		default:
			c.Hidden++
		}
	}
	v.compareWithUsual(c.Rows)
	return c
}

func (v *View) openRow(t *openTrace, base string) openRow {
	first := &t.spans[0]
	row := openRow{
		ID: spanHex(uint64(first.context.SpanID())), Name: shownName(first.name), Start: openAgeOf(first.start, v.now()),
	}
	if v.store.has(t.id) {
		row.Link = base + "trace/" + traceHex(t.id)
	}
	leaves := t.leaves()
	if leaf := leaves[0]; leaf != first {
		row.Inner, row.InnerStart = shownName(leaf.name), openAgeOf(leaf.start, v.now())
		row.InnerMore = len(leaves) - 1
	}
	return row
}

// leaves returns the open spans of which no child is open: those that the others wait for. There is at least one.
func (t *openTrace) leaves() (leaves []*openSpan) {
	parents := map[uint64]bool{}
	for i := range t.spans {
		if id, parent := t.spans[i].context.SpanID(), t.spans[i].context.ParentID(); parent != id {
			parents[uint64(parent)] = true
		}
	}
	for i := range t.spans {
		if !parents[uint64(t.spans[i].context.SpanID())] {
			leaves = append(leaves, &t.spans[i])
		}
	}
	if leaves == nil {
		leaves = append(leaves, &t.spans[0]) // a circle of parents
	}
	return leaves
}

// compareWithUsual sets what spans of the same name usually take. A name of several services means that with the most
// spans: a span's service is known only when it ends.
func (v *View) compareWithUsual(rows []openRow) {
	if len(rows) == 0 {
		return
	}
	s := v.store
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make([]int, len(rows))
	for key, op := range s.operations {
		for i := range rows {
			row := &rows[i]
			if row.Name != key.name || op.count <= counts[i] {
				continue
			}
			if half, most, known := op.usualOf(); known {
				counts[i] = op.count
				row.Usual = showDuration(half)
				row.Slow = v.now().Sub(time.UnixMicro(row.Start.Micros)) > most
			}
		}
	}
}

// withoutTimes leaves out what changes while nothing happens: scripts show it.
func (c openContent) withoutTimes() openContent {
	c.Rows = slices.Clone(c.Rows)
	for i := range c.Rows {
		c.Rows[i].Start.Text, c.Rows[i].InnerStart.Text = "", ""
	}
	return c
}

// openFeed is what a live page knows of the requests in flight. All that were there at its start have a row until they
// end; later ones get a row when they have been open for [openLive], so that rows do not come and go.
type openFeed struct {
	rows map[string]bool // ids of the rows; nil: no event was sent yet
	sent string
}

// html returns what the page is to show. A filtered list has no rows of what is in flight, only their count.
func (o *openFeed) html(s *feed) string {
	now := s.v.now()
	traces := s.v.recentOpenTraces
	if o.rows == nil {
		traces = s.v.openTraces
	}
	c := s.v.openContent(traces(), "", func(t *openTrace) bool {
		first := &t.spans[0]
		id := spanHex(uint64(first.context.SpanID()))
		return !s.filter.narrows() && (o.rows == nil || o.rows[id] || now.Sub(first.start) >= openLive)
	})
	o.rows = make(map[string]bool, len(c.Rows))
	for i := range c.Rows {
		o.rows[c.Rows[i].ID] = true
	}
	return fragment("open", c.withoutTimes())
}

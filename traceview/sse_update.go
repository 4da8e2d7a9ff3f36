package traceview

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spanloom/spanloom/internal/model"
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

package traceview

import "net/http"

// cleared is what a clear took away, as long as the memory allows.
type cleared struct {
	spans  []*span // in the order in which they came
	traces int
	bytes  int
}

// clear removes every trace that is not pinned, and every count. What it removes can be restored until the memory is
// needed.
func (s *store) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	undo := &cleared{bytes: s.bytes}
	var pinned []*trace
	for e := s.byChange.Front(); e != nil; e = e.Next() {
		t := e.Value.(*trace)
		if t.pinned {
			pinned = append(pinned, t)
			continue
		}
		undo.traces++
		undo.spans = append(undo.spans, t.spans...)
	}
	s.reset()
	for _, t := range pinned {
		s.keepPinned(t)
	}
	undo.bytes -= s.bytes
	s.cleared = undo
	if undo.traces == 0 {
		s.cleared = nil
	}
	s.clears++
	s.touch(nil)
}

// keepPinned stores the spans of a pinned trace again, so that the counts are those of what is kept.
func (s *store) keepPinned(old *trace) {
	for _, sp := range old.spans {
		s.keep(sp, cost(&sp.Span))
		if t := s.traces[old.id]; t != nil {
			t.pinned = true
		}
	}
	if t := s.traces[old.id]; t != nil {
		t.cut = old.cut
		s.relist(t)
	}
}

// restore brings back what the last clear took away.
func (s *store) restore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	undo := s.cleared
	s.cleared = nil
	if undo == nil {
		return
	}
	for _, sp := range undo.spans {
		s.keep(sp, cost(&sp.Span))
	}
}

// dropCleared gives the memory of cleared traces to new ones.
func (s *store) dropCleared() {
	if s.cleared != nil && s.bytes+s.cleared.bytes > s.maxBytes {
		s.cleared = nil
		s.change++
	}
}

// clearable returns how many traces the last clear can bring back.
func (s *store) clearable() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cleared == nil {
		return 0
	}
	return s.cleared.traces
}

// clear answers a press of Clear all; the list then offers to undo it.
func (v *View) clear(w http.ResponseWriter, r *http.Request) {
	v.drain()
	v.store.clear()
	seeOther(w, base(r))
}

func (v *View) undoClear(w http.ResponseWriter, r *http.Request) {
	v.store.restore()
	seeOther(w, base(r))
}

// seeOther sends the browser to a link that is relative to the requested page. [http.Redirect] would resolve it
// against the path that is left after the prefix was taken off.
func seeOther(w http.ResponseWriter, link string) {
	w.Header().Set("Location", link)
	w.WriteHeader(http.StatusSeeOther)
}

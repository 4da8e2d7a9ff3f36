package traceview

import "github.com/spanloom/spanloom/internal/model"

// relist moves the trace into the list where it belongs.
func (s *store) relist(t *trace) {
	keep := t.failed || t.slow > 0 || t.pinned
	if keep == t.retained {
		return
	}
	if keep {
		s.regular.Remove(t.element)
		t.element = s.retained.PushBack(t)
		s.retainedBytes += t.bytes
	} else {
		s.retained.Remove(t.element)
		t.element = s.regular.PushFront(t)
		s.retainedBytes -= t.bytes
	}
	t.retained = keep
}

func (s *store) evict() {
	s.dropCleared()
	for (s.bytes > s.maxBytes || len(s.traces) > s.maxTraces) && len(s.traces) > 1 {
		s.remove(s.victim())
	}
}

func (s *store) remove(t *trace) {
	delete(s.traces, t.id)
	s.byChange.Remove(t.byChange)
	s.change++
	s.gone.add(s.change, t.id)
	if t.retained {
		s.retained.Remove(t.element)
		s.retainedBytes -= t.bytes
	} else {
		s.regular.Remove(t.element)
	}
	s.bytes -= t.bytes
	s.releaseProcesses(t)
	s.totals.spans -= len(t.spans)
	s.totals.evictedSpans += len(t.spans)
	s.totals.evictedTraces++
	if t.slow > 0 {
		s.forgetSlow(t)
	}
}

// goneRing remembers the latest traces that went to make room, so that live pages can drop their rows.
type goneRing struct {
	entries [512]goneTrace
	n       int // that were ever added
}

type goneTrace struct {
	change uint64
	id     model.TraceID
}

func (r *goneRing) add(change uint64, id model.TraceID) {
	r.entries[r.n%len(r.entries)] = goneTrace{change, id}
	r.n++
}

// since returns the traces that went after a change; ok is false if more went than are remembered.
func (r *goneRing) since(change uint64) (ids []model.TraceID, ok bool) {
	for i := r.n - 1; i >= 0; i-- {
		if i < r.n-len(r.entries) {
			return ids, false
		}
		e := &r.entries[i%len(r.entries)]
		if e.change <= change {
			break
		}
		ids = append(ids, e.id)
	}
	return ids, true
}

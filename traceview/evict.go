package traceview

// place puts the trace into the list where it belongs.
func (s *store) place(t *trace) {
	keep := t.failed || t.slow > 0
	if keep == t.kept {
		return
	}
	if keep {
		s.plain.Remove(t.element)
		t.element = s.kept.PushBack(t)
		s.keptBytes += t.bytes
	} else {
		s.kept.Remove(t.element)
		t.element = s.plain.PushFront(t)
		s.keptBytes -= t.bytes
	}
	t.kept = keep
}

func (s *store) evict() {
	for (s.bytes > s.maxBytes || len(s.traces) > s.maxTraces) && len(s.traces) > 1 {
		from := &s.plain
		if from.Len() == 0 || s.keptBytes > s.maxBytes/2 || s.kept.Len() > max(s.maxTraces/2, 1) {
			from = &s.kept
		}
		s.remove(from.Front().Value.(*trace))
	}
}

func (s *store) remove(t *trace) {
	delete(s.traces, t.id)
	if t.kept {
		s.kept.Remove(t.element)
		s.keptBytes -= t.bytes
	} else {
		s.plain.Remove(t.element)
	}
	s.bytes -= t.bytes
	s.release(t)
	s.totals.spans -= len(t.spans)
	s.totals.evictedSpans += len(t.spans)
	s.totals.evictedTraces++
	if t.slow > 0 {
		s.forgetSlow(t)
	}
}

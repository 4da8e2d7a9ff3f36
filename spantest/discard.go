package spantest

// Discard ends the span without recording it. A middleware that finds out that the request has a span of its own calls
// it; [Tracer.Finished] does not return the span, and it need not be finished.
func (s *span) Discard() {
	t := s.tracer
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.finishes > 0 {
		return
	}
	s.finishes++
	t.open--
	close(t.closed)
	t.closed = make(chan struct{})
}

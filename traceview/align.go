package traceview

import "time"

// align finds by how much to move the spans of services whose clocks disagree with that of the first one. A span that
// its parent's time cannot hold is moved into the middle of it, or to its start if it took longer; the spans of the
// same process below it move with it. Clocks that disagree make a trace longer than it was, so an alignment that makes
// it longer still is none: such a trace has children that outlive their parents or begin before them.
func align(roots []*node) map[*node]time.Duration {
	shifts := map[*node]time.Duration{}
	if !anySkew(roots) {
		return shifts
	}
	clocks := map[*process]time.Duration{}
	walk(roots, func(n *node) bool {
		if n.parent == nil {
			clocks[n.process] = 0
			return true
		}
		shift, known := clocks[n.process]
		if !known || n.sharesClock() {
			shift = shifts[n.parent]
		}
		if !fits(n, shift, shifts[n.parent]) {
			p := n.parent
			start := p.Start.Add(shifts[p])
			if n.Duration < p.Duration {
				start = start.Add((p.Duration - n.Duration) / 2)
			}
			shift = start.Sub(n.Start)
		}
		clocks[n.process] = shift
		if shift != 0 {
			shifts[n] = shift
		}
		return true
	})
	if extent(roots, shifts) > extent(roots, nil) {
		return nil
	}
	return shifts
}

// alignedTime returns how long the trace took once its clocks are aligned.
func (s *snapshot) alignedTime() time.Duration {
	roots := s.tree()
	return extent(roots, align(roots))
}

// extent returns the time from the first start to the last end of the spans, moved by shifts.
func extent(roots []*node, shifts map[*node]time.Duration) time.Duration {
	var first, last time.Time
	walk(roots, func(n *node) bool {
		start, end := n.Start.Add(shifts[n]), n.end().Add(shifts[n])
		if first.IsZero() || start.Before(first) {
			first = start
		}
		if end.After(last) {
			last = end
		}
		return true
	})
	return last.Sub(first)
}

func anySkew(roots []*node) (found bool) {
	walk(roots, func(n *node) bool {
		found = found || n.skew != ""
		return !found
	})
	return found
}

// fits reports whether the span, moved by shift, lies where its parent, moved by its own, allows.
func fits(n *node, shift, parentShift time.Duration) bool {
	child, parent := *n.span, *n.parent.span
	child.Start, parent.Start = child.Start.Add(shift), parent.Start.Add(parentShift)
	return skewOf(&node{span: &child, parent: &node{span: &parent}}) == ""
}

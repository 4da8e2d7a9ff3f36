package traceview

import (
	"slices"
	"time"
)

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
	if length(roots, shifts) > length(roots, nil) {
		return nil
	}
	return shifts
}

// alignClocks moves the spans of a tree by what [align] finds, and sorts those below each span anew.
func alignClocks(roots []*node) {
	shifts := align(roots)
	for n, shift := range shifts {
		n.shift = shift
	}
	for n := range shifts {
		if p := n.parent; p != nil {
			slices.SortStableFunc(p.children, func(a, b *node) int { return a.start().Compare(b.start()) })
		}
	}
}

// alignTimes sets when the trace starts and ends as its page shows it, with the clocks of its services aligned. Nearly
// all traces need no tree for that: no span of theirs begins before its parent, or ends after the call that it answers.
func (s *summary) alignTimes(t *trace) {
	disagree := slices.ContainsFunc(t.spans, func(sp *span) bool {
		p := t.byID[sp.ParentID]
		if t.byID[sp.SpanID] != sp { // as in traces of Zipkin's clients, where a call and its answer share an id
			return true
		}
		return p != nil && skewOf(&node{span: sp, parent: &node{span: p}}) != ""
	})
	if !disagree {
		return
	}
	snap := snapshot{s, t.spans}
	s.start, s.end = extent(snap.tree(), nil)
}

// extent returns when the first span starts and the last one ends, moved by shifts.
func extent(roots []*node, shifts map[*node]time.Duration) (first, last time.Time) {
	walk(roots, func(n *node) bool {
		start, end := n.start().Add(shifts[n]), n.end().Add(shifts[n])
		if first.IsZero() || start.Before(first) {
			first = start
		}
		if end.After(last) {
			last = end
		}
		return true
	})
	return first, last
}

func length(roots []*node, shifts map[*node]time.Duration) time.Duration {
	first, last := extent(roots, shifts)
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

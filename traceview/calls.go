package traceview

import (
	"cmp"
	"slices"
	"time"
)

type callCount struct {
	edgeKey
	edge
}

// calls counts the calls between services in the traces that are kept, by the start of the called span.
func (s *store) calls(from, until time.Time) []callCount {
	edges := map[edgeKey]*edge{}
	for _, snap := range s.all() {
		byID := make(map[uint64]*span, len(snap.list))
		for _, sp := range snap.list {
			if byID[sp.SpanID] == nil {
				byID[sp.SpanID] = sp
			}
		}
		for _, sp := range snap.list {
			parent := byID[sp.ParentID]
			if sp.ParentID == 0 || parent == nil || sp.Start.Before(from) || sp.Start.After(until) {
				continue
			}
			addCall(edges, parent, sp)
		}
	}
	return sortedCalls(edges)
}

// allCalls counts the calls between services since the start.
func (s *store) allCalls() []callCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedCalls(s.edges)
}

func sortedCalls(edges map[edgeKey]*edge) []callCount {
	calls := make([]callCount, 0, len(edges))
	for key, e := range edges {
		calls = append(calls, callCount{key, *e})
	}
	slices.SortFunc(calls, func(a, b callCount) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), cmp.Compare(a.child, b.child))
	})
	return calls
}

package traceview

import (
	"cmp"
	"slices"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// summary is a trace in one line. It never changes once made.
type summary struct {
	id         model.TraceID
	change     uint64
	root       *span
	whole      bool // root has no parent
	start, end time.Time
	spans      int
	cut        int
	failed     int
	panicked   int
	services   []serviceCount // most spans first
}

type serviceCount struct {
	Name         string
	Color, Spans int
}

func (s *summary) duration() time.Duration { return s.end.Sub(s.start) }

// summarize is called with the store's lock held.
func (t *trace) summarize() *summary {
	if t.summary != nil {
		return t.summary
	}
	sum := &summary{id: t.id, change: t.change, spans: len(t.spans), cut: t.cut}
	for _, sp := range t.spans {
		sum.look(sp, t.byID[sp.ParentID] != nil && sp.ParentID != sp.SpanID)
	}
	slices.SortStableFunc(sum.services, func(a, b serviceCount) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Name, b.Name))
	})
	if sum.root == nil && len(t.spans) > 0 {
		sum.root = t.spans[0] // a circle of parents
	}
	t.summary = sum
	return sum
}

func (s *summary) look(sp *span, hasParent bool) {
	if end := sp.Start.Add(sp.Duration); s.end.IsZero() || end.After(s.end) {
		s.end = end
	}
	if s.start.IsZero() || sp.Start.Before(s.start) {
		s.start = sp.Start
	}
	if sp.failed {
		s.failed++
	}
	if sp.panicked {
		s.panicked++
	}
	if i := slices.IndexFunc(s.services, func(c serviceCount) bool { return c.Name == sp.process.Service }); i >= 0 {
		s.services[i].Spans++
	} else {
		s.services = append(s.services, serviceCount{sp.process.Service, sp.process.color, 1})
	}
	whole := sp.ParentID == 0
	if hasParent && !whole || s.whole && !whole {
		return
	}
	if s.root == nil || whole && !s.whole || sp.Start.Before(s.root.Start) {
		s.root, s.whole = sp, whole
	}
}

// snapshot is a trace as it was at one moment; its spans are shared but never change.
type snapshot struct {
	*summary
	list []*span
}

// get finds a trace. An id of 64 bits also finds a trace by the low half of its id.
func (s *store) get(id model.TraceID) (snapshot, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.traces[id]
	if t == nil && id.High == 0 {
		for other := range s.traces {
			if other.Low == id.Low && (t == nil || s.traces[other].change > t.change) {
				t = s.traces[other]
			}
		}
	}
	if t == nil || len(t.spans) == 0 {
		return snapshot{}, false
	}
	return snapshot{t.summarize(), slices.Clone(t.spans)}, true
}

func (s *store) has(id model.TraceID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traces[id] != nil
}

// find returns the traces that match and changed after f.since, the latest start first, and how many matched in all.
func (s *store) find(f *filter, limit int) (found []*summary, matched int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.traces {
		if len(t.spans) == 0 || !f.match(t) {
			continue
		}
		matched++
		if t.change > f.since {
			found = append(found, t.summarize())
		}
	}
	slices.SortFunc(found, func(a, b *summary) int {
		return cmp.Or(b.start.Compare(a.start), cmp.Compare(b.id.Low, a.id.Low), cmp.Compare(b.id.High, a.id.High))
	})
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found, matched
}

func (s *store) serviceNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for name, svc := range s.services {
		if svc.spans > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// operationKeys returns the operations of a service, of all services if it is "".
func (s *store) operationKeys(service string) []operationKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []operationKey
	for key := range s.operations {
		if service == "" || key.service == service {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b operationKey) int {
	return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
}

func (s *store) operationNames(service string) []string {
	names := []string{}
	for _, key := range s.operationKeys(service) {
		names = append(names, key.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

type callCount struct {
	edgeKey
	edge
}

// calls counts the calls between services in the traces that are kept, by the start of the called span.
func (s *store) calls(from, until time.Time) []callCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	edges := map[edgeKey]*edge{}
	for _, t := range s.traces {
		for _, sp := range t.spans {
			parent := t.byID[sp.ParentID]
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

// changes returns the number of the last change.
func (s *store) changes() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change
}

// sortedOperations is called with the lock held.
func (s *store) sortedOperations() []*operation {
	ops := make([]*operation, 0, len(s.operations))
	for _, op := range s.operations {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b *operation) int { return compareKeys(a.operationKey, b.operationKey) })
	return ops
}

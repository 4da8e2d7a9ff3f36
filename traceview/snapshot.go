package traceview

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// summary is a trace in one line, for the pages of a [View]. It never changes once made.
type summary struct {
	id         model.TraceID
	change     uint64
	root       *span
	whole      bool      // root has no parent
	start, end time.Time // with the clocks of the services aligned
	spans      int
	cut        int
	failed     int
	panicked   int
	pinned     bool
	services   []serviceCount // most spans first
	index      map[string]int // of services by name, if there are many

	row atomic.Pointer[string] // its HTML in the list, made when first shown
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
	sum := &summary{id: t.id, change: t.change, spans: len(t.spans), cut: t.cut, pinned: t.pinned}
	for _, sp := range t.spans {
		sum.add(sp, t.byID[sp.ParentID] != nil && sp.ParentID != sp.SpanID)
	}
	slices.SortStableFunc(sum.services, func(a, b serviceCount) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Name, b.Name))
	})
	if sum.root == nil && len(t.spans) > 0 {
		sum.root = t.spans[0] // a circle of parents
	}
	sum.alignTimes(t)
	if sum.index != nil {
		for i := range sum.services {
			sum.index[sum.services[i].Name] = i
		}
	}
	distinctColors(sum.services)
	t.summary = sum
	return sum
}

func (s *summary) add(sp *span, hasParent bool) {
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
	s.countService(sp.process)
	whole := sp.ParentID == 0
	if hasParent && !whole || s.whole && !whole {
		return
	}
	if s.root == nil || whole && !s.whole || sp.Start.Before(s.root.Start) {
		s.root, s.whole = sp, whole
	}
}

// fewServices is up to how many a search is as quick as a map.
const fewServices = 8

func (s *summary) countService(p *process) {
	i := s.serviceIndex(p.Service)
	if i >= 0 {
		s.services[i].Spans++
		return
	}
	s.services = append(s.services, serviceCount{p.Service, p.color, 1})
	switch n := len(s.services); {
	case n == fewServices+1:
		s.index = make(map[string]int, 2*n)
		for i := range s.services {
			s.index[s.services[i].Name] = i
		}
	case s.index != nil:
		s.index[p.Service] = n - 1
	}
}

// serviceIndex returns where a service is in services, or -1.
func (s *summary) serviceIndex(name string) int {
	if s.index == nil {
		return slices.IndexFunc(s.services, func(c serviceCount) bool { return c.Name == name })
	}
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// distinctColors gives another colour to a service whose own is taken by one with more spans in the same trace.
func distinctColors(services []serviceCount) {
	var taken [colors]bool
	for i := range services {
		for n := 0; taken[services[i].Color%colors] && n < colors; n++ {
			services[i].Color = (services[i].Color + 1) % colors
		}
		taken[services[i].Color%colors] = true
	}
}

// color is the colour of a service in this trace.
func (s *summary) color(service string) int {
	if i := s.serviceIndex(service); i >= 0 {
		return s.services[i].Color
	}
	return 0
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
	return t.snapshot(), true
}

func (s *store) has(id model.TraceID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traces[id] != nil
}

// snapshot is called with the store's lock held.
func (t *trace) snapshot() snapshot {
	// Spans are only ever appended, so that the list can be shared with readers that hold no lock.
	return snapshot{t.summarize(), t.spans[:len(t.spans):len(t.spans)]}
}

// all returns every trace. It holds the lock no longer than it takes to list them.
func (s *store) all() []snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]snapshot, 0, len(s.traces))
	for e := s.byChange.Back(); e != nil; e = e.Prev() {
		if t := e.Value.(*trace); len(t.spans) > 0 {
			list = append(list, t.snapshot())
		}
	}
	return list
}

// delta is what happened to the store after a change.
type delta struct {
	change   uint64
	epoch    uint64 // the store's count of clears
	names    uint64
	changed  []snapshot
	gone     []model.TraceID
	complete bool // false if more traces went than are remembered
}

// deltaSince looks only at the traces that changed.
func (s *store) deltaSince(change uint64) delta {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := delta{change: s.change, epoch: s.clears, names: s.names}
	for e := s.byChange.Back(); e != nil; e = e.Prev() {
		t := e.Value.(*trace)
		if t.change <= change {
			break
		}
		if len(t.spans) > 0 {
			d.changed = append(d.changed, t.snapshot())
		}
	}
	d.gone, d.complete = s.gone.since(change)
	return d
}

// find returns the traces that match in the order of f, at most limit if that is positive, and how many matched.
func (s *store) find(f *filter, limit int) (found []snapshot, matched int) {
	f.prepare(s)
	for _, snap := range s.all() {
		if f.match(&snap) {
			found = append(found, snap)
		}
	}
	slices.SortFunc(found, func(a, b snapshot) int { return f.order.compare(a.summary, b.summary) })
	matched = len(found)
	if limit > 0 && matched > limit {
		found = found[:limit]
	}
	return found, matched
}

// findSpan returns the id of the trace that has a span with this id.
func (s *store) findSpan(id uint64) (model.TraceID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.byChange.Back(); e != nil; e = e.Prev() {
		if t := e.Value.(*trace); t.byID[id] != nil {
			return t.id, true
		}
	}
	return model.TraceID{}, false
}

const maxHints = 100 // names that the search field offers

// state returns the number of the last change and of the last clear.
func (s *store) state() (change, epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.change, s.clears
}

package traceview

import (
	"container/list"
	"sync"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	maxSpans      = 20_000 // of one trace
	maxOperations = 1_000  // that are counted
	maxServices   = 500
	maxEdges      = 2_000
)

// span is a finished span as it is kept; it never changes once it is in the store.
type span struct {
	model.Span
	process  *process
	kind     string // the tag span.kind
	failed   bool
	panicked bool
	warnings []string
}

// trace is what has arrived of one trace. The store's lock guards it.
type trace struct {
	id           model.TraceID
	spans        []*span
	processes    []*process
	processBytes int    // bytes of the processes
	bytes        int    // of all else
	cut          int    // spans that were over a limit
	change       uint64 // the store's count of changes when it last changed
	byID         map[uint64]*span
	waiting      map[uint64][]*span // by the id of a parent that has not come yet
	failed       bool
	slow         int           // among the slowest of so many operations
	element      *list.Element // in store.regular or store.retained
	byChange     *list.Element // in store.byChange
	retained     bool          // in store.retained
	pinned       bool          // stays; then it is retained, too
	summary      *summary      // nil: to be made
}

// store keeps traces within its bounds. Oldest go first, but half of it may be held by traces with errors and by
// the slowest of each operation.
type store struct {
	maxBytes, maxTraces int
	now                 func() time.Time

	mu            sync.Mutex
	traces        map[model.TraceID]*trace
	regular       list.List // of *trace, oldest first
	retained      list.List // of traces with errors, the slowest ones, and those that are pinned
	byChange      list.List // all traces, the latest change last
	bytes         int
	retainedBytes int
	change        uint64
	clears        uint64 // how often everything was cleared
	names         uint64 // grows with each new service or operation
	gone          goneRing
	cleared       *cleared            // what the last clear can bring back
	watch         chan struct{}       // closed at the next change; nil if nobody waits
	processes     map[string]*process // those of the spans kept, by key
	services      map[string]*service
	operations    map[operationKey]*operation
	edges         map[edgeKey]*edge
	totals        totals
}

// totals count spans since the view was made or cleared.
type totals struct {
	since         time.Time
	received      int
	duplicates    int
	cut           int // over the limit of one trace
	evictedSpans  int // went to make room
	evictedTraces int // traces that went
	spans         int // kept now
	uncounted     int // not in the operations' figures, because there are too many names
}

func newStore(maxBytes, maxTraces int, now func() time.Time) *store {
	s := &store{maxBytes: maxBytes, maxTraces: maxTraces, now: now}
	s.reset()
	return s
}

func (s *store) reset() {
	for _, t := range s.traces {
		s.releaseProcesses(t)
	}
	s.traces = map[model.TraceID]*trace{}
	s.regular.Init()
	s.retained.Init()
	s.byChange.Init()
	s.gone = goneRing{}
	s.names++
	s.bytes, s.retainedBytes = 0, 0
	s.processes = map[string]*process{}
	s.operations = map[operationKey]*operation{}
	s.edges = map[edgeKey]*edge{}
	if s.services == nil {
		s.services = map[string]*service{}
	}
	for _, svc := range s.services {
		svc.spans, svc.failed = 0, 0 // colours stay
	}
	s.totals = totals{since: s.now()}
}

// add keeps a span; dropped is how many of its tags and logs were over the limits. It reports false if the span
// was not kept.
func (s *store) add(p *process, ms *model.Span, dropped int) bool {
	sp := newSpan(p, ms, dropped)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keep(sp, cost(&sp.Span))
}

// keep is add with the lock held.
func (s *store) keep(sp *span, size int) bool {
	p := sp.process
	s.totals.received++
	t := s.traces[sp.TraceID]
	if t == nil {
		t = &trace{id: sp.TraceID, byID: map[uint64]*span{}}
		t.element = s.regular.PushBack(t)
		t.byChange = s.byChange.PushBack(t)
		s.traces[t.id] = t
		s.grow(t, traceCost)
	} else if t.has(sp) {
		s.totals.duplicates++
		return true
	}
	if len(t.spans) >= maxSpans || len(t.spans) > 0 && t.weight(p)+size > s.maxBytes/2 {
		t.cut++
		s.totals.cut++
		s.count(sp, nil)
		s.touch(t)
		return false
	}
	t.spans = append(t.spans, sp)
	s.totals.spans++
	s.retain(t, p)
	s.grow(t, size)
	s.count(sp, t)
	s.link(t, sp)
	if sp.failed {
		t.failed = true
	}
	s.touch(t)
	s.relist(t)
	s.evict()
	return true
}

// has reports whether the span came before, perhaps another way: thrift cuts times to microseconds, and OTLP calls a
// span without kind internal.
func (t *trace) has(sp *span) bool {
	old := t.byID[sp.SpanID]
	return old != nil && old.process.Service == sp.process.Service && old.Name == sp.Name &&
		old.Start.UnixMicro() == sp.Start.UnixMicro() &&
		old.Duration/time.Microsecond == sp.Duration/time.Microsecond
}

func (s *store) grow(t *trace, size int) {
	t.bytes += size
	s.bytes += size
	if t.retained {
		s.retainedBytes += size
	}
}

// touch marks a change, of t if it is not nil.
func (s *store) touch(t *trace) {
	s.change++
	if t != nil {
		t.change = s.change
		t.summary = nil
		s.byChange.MoveToBack(t.byChange)
		if t.retained {
			s.retained.MoveToBack(t.element)
		} else {
			s.regular.MoveToBack(t.element)
		}
	}
	if s.watch != nil {
		close(s.watch)
		s.watch = nil
	}
}

// changed returns a channel that is closed at the next change.
func (s *store) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch == nil {
		s.watch = make(chan struct{})
	}
	return s.watch
}

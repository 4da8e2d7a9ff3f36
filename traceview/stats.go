package traceview

import (
	"slices"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// service is one service's figures since the start; its colour is its place among the services seen.
type service struct {
	color         int
	spans, failed int
}

type operationKey struct{ service, name, kind string }

// operation is one operation's figures since the start, in bounded memory.
type operation struct {
	operationKey
	color         int // of the service, in copies
	count, failed int
	latency       histogram
	bars          [len(barBounds) + 1]bar
	recent        rate
	series        series
	points        [seriesSlots]seriesPoint // of the series, in copies
	usual         usual
	slowest       []sample // slowest first
	failures      []sample // newest first
}

// sample points to a span that may be gone by now.
type sample struct {
	trace    model.TraceID
	span     uint64
	duration time.Duration
	start    time.Time
	failed   bool
}

// bar is one column of the latency picture, with the latest span that fell into it.
type bar struct {
	count, failed int
	latest        sample
}

// barBounds are the columns' upper bounds.
var barBounds = [...]time.Duration{
	1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7, 1e8, 2e8, 5e8,
	1e9, 2e9, 5e9, 1e10, 2e10, 5e10, 1e11, 2e11, 5e11, 1e12,
}

type edgeKey struct{ parent, child string }

// edge counts the calls between two services since the start.
type edge struct{ count, failed int }

const samples = 5 // slowest and failed spans remembered for each operation

// service returns the figures of a service; those over the limit share one.
func (s *store) service(name string) *service {
	svc := s.services[name]
	if svc == nil {
		svc = &service{color: len(s.services) % colors}
		if len(s.services) < maxServices {
			s.services[name] = svc
			s.names++
		}
	}
	return svc
}

// count adds the span to the figures; t is nil if the span itself is not kept.
func (s *store) count(sp *span, t *trace) {
	svc := s.service(sp.process.Service)
	svc.spans++
	if sp.failed {
		svc.failed++
	}
	key := operationKey{sp.process.Service, sp.Name, sp.kind}
	op := s.operations[key]
	if op == nil {
		if len(s.operations) >= maxOperations {
			s.totals.uncounted++
			return
		}
		op = &operation{operationKey: key}
		s.operations[key] = op
		s.names++
	}
	op.count++
	now := s.now()
	op.recent.add(now)
	op.series.add(now, sp.Duration, sp.failed)
	op.latency.add(sp.Duration)
	at := sample{sp.TraceID, sp.SpanID, sp.Duration, sp.Start, sp.failed}
	i, _ := slices.BinarySearch(barBounds[:], sp.Duration)
	op.bars[i].count++
	if sp.failed {
		op.failed++
		op.bars[i].failed++
	}
	if t == nil {
		return
	}
	op.bars[i].latest = at
	if sp.failed {
		op.failures = slices.Insert(op.failures, 0, at)
		op.failures = op.failures[:min(len(op.failures), samples)]
	}
	s.rank(op, at, t)
}

// rank enters the span among the slowest of its operation, if it is, and releases the one that drops out.
func (s *store) rank(op *operation, at sample, t *trace) {
	i := len(op.slowest)
	for i > 0 && op.slowest[i-1].duration < at.duration {
		i--
	}
	if i >= samples {
		return
	}
	op.slowest = slices.Insert(op.slowest, i, at)
	t.slow++
	if len(op.slowest) > samples {
		last := op.slowest[samples]
		op.slowest = op.slowest[:samples]
		if old := s.traces[last.trace]; old != nil {
			old.slow--
			s.relist(old)
		}
	}
}

// forgetSlow takes a trace that goes off its operations' slowest.
func (s *store) forgetSlow(t *trace) {
	for _, sp := range t.spans {
		op := s.operations[operationKey{sp.process.Service, sp.Name, sp.kind}]
		if op != nil {
			op.slowest = slices.DeleteFunc(op.slowest, func(at sample) bool { return at.trace == t.id })
		}
	}
}

// link counts calls between services as soon as both the parent and the child are here.
func (s *store) link(t *trace, sp *span) {
	if t.byID[sp.SpanID] == nil {
		t.byID[sp.SpanID] = sp
		for _, child := range t.waiting[sp.SpanID] {
			addCall(s.edges, sp, child)
		}
		s.grow(t, -waitCost*len(t.waiting[sp.SpanID]))
		delete(t.waiting, sp.SpanID)
	}
	if sp.ParentID == 0 {
		return
	}
	if parent := t.byID[sp.ParentID]; parent != nil {
		addCall(s.edges, parent, sp)
		return
	}
	if t.waiting == nil {
		t.waiting = map[uint64][]*span{}
	}
	t.waiting[sp.ParentID] = append(t.waiting[sp.ParentID], sp)
	s.grow(t, waitCost)
}

// addCall counts a parent link if it is a call from one service to another.
func addCall(edges map[edgeKey]*edge, parent, child *span) {
	key := edgeKey{parent.process.Service, child.process.Service}
	if key.parent == key.child {
		return
	}
	e := edges[key]
	if e == nil {
		if len(edges) >= maxEdges {
			return
		}
		e = &edge{}
		edges[key] = e
	}
	e.count++
	if child.failed {
		e.failed++
	}
}

// operation returns a copy of an operation's figures.
func (s *store) operation(key operationKey) (operation, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operations[key]
	if op == nil {
		return operation{}, false
	}
	return s.copyOf(op), true
}

// copyOf leaves out samples whose trace is gone.
func (s *store) copyOf(op *operation) operation {
	c := *op
	c.latency.counts = slices.Clone(op.latency.counts)
	c.points = op.series.points(s.now())
	c.series.latency.counts = nil
	if svc := s.services[op.service]; svc != nil {
		c.color = svc.color
	}
	gone := func(at sample) bool { return s.traces[at.trace] == nil }
	c.slowest = slices.DeleteFunc(slices.Clone(op.slowest), gone)
	c.failures = slices.DeleteFunc(slices.Clone(op.failures), gone)
	for i := range c.bars {
		if gone(c.bars[i].latest) {
			c.bars[i].latest = sample{}
		}
	}
	return c
}

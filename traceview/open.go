package traceview

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	openShards  = 16
	maxOpen     = 4096           // spans that are known to be open; the oldest give way to new ones
	maxOpenAge  = 24 * time.Hour // after which a span is taken for one that will never end
	maxOpenName = 256            // bytes of the name of one
)

// openSpan is a span that has started and not ended.
type openSpan struct {
	name         string
	context      jaeger.SpanContext
	start        time.Time
	older, newer int32 // in its shard
}

type openKey struct{ trace, span uint64 }

// openTable holds the spans of [View.ReportStart] that are open, in bounded memory. It is split by span id, so that the
// goroutines that start spans rarely wait for each other.
type openTable struct {
	shards [openShards]openShard
	lost   atomic.Int64 // spans that gave way to new ones
}

// openShard is a hash table whose entries are linked by age. Its memory grows up to a fixed size and is reused.
type openShard struct {
	mu      sync.Mutex
	index   map[openKey]int32
	entries []openSpan // entry 0 has the oldest as its newer one, and the newest as its older one
	free    []int32
	_       [56]byte // the next shard has a cache line of its own
}

// ReportStart adds a span to those in flight, which the list shows above the traces. [View.Report] removes it. Tracers
// of package tracerinit call it; stock ones of jaeger-client-go do not.
func (v *View) ReportStart(name string, sc jaeger.SpanContext, start time.Time) {
	if !sc.IsValid() {
		return // it also lacks the sampling state that its methods read
	}
	if len(name) > maxOpenName {
		name = strings.Clone(model.Cut(name, maxOpenName))
	}
	v.open.add(openSpan{name: name, context: sc, start: start})
}

func keyOf(sc *jaeger.SpanContext) openKey { return openKey{sc.TraceID().Low, uint64(sc.SpanID())} }

func (t *openTable) shard(key openKey) *openShard { return &t.shards[key.span%openShards] }

func (t *openTable) add(sp openSpan) {
	key := keyOf(&sp.context)
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index == nil {
		s.index = map[openKey]int32{}
		s.entries = make([]openSpan, 1, 16)
	}
	if i, twice := s.index[key]; twice {
		s.remove(key, i)
	}
	if len(s.index) >= maxOpen/openShards {
		oldest := s.entries[0].newer
		s.remove(keyOf(&s.entries[oldest].context), oldest)
		t.lost.Add(1)
	}
	i := int32(len(s.entries))
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.entries = append(s.entries, openSpan{})
	}
	newest := s.entries[0].older
	sp.older, sp.newer = newest, 0
	s.entries[i] = sp
	s.entries[newest].newer, s.entries[0].older = i, i
	s.index[key] = i
}

// end removes a span, if it is there.
func (t *openTable) end(key openKey) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.index[key]; ok {
		s.remove(key, i)
	}
}

func (s *openShard) remove(key openKey, i int32) {
	delete(s.index, key)
	older, newer := s.entries[i].older, s.entries[i].newer
	s.entries[older].newer, s.entries[newer].older = newer, older
	s.entries[i] = openSpan{}
	s.free = append(s.free, i)
}

// list returns the spans that are open, the oldest first. Spans that were given up, or that are too old, go.
func (t *openTable) list(now time.Time) []openSpan {
	var all []openSpan
	for i := range t.shards {
		all = t.shards[i].appendOpen(all, now)
	}
	slices.SortFunc(all, func(a, b openSpan) int { return a.start.Compare(b.start) })
	return all
}

func (s *openShard) appendOpen(all []openSpan, now time.Time) []openSpan {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, i := range s.index {
		sp := &s.entries[i]
		if !sp.context.IsSampled() || now.Sub(sp.start) > maxOpenAge {
			s.remove(key, i)
		} else {
			all = append(all, *sp)
		}
	}
	return all
}

func (t *openTable) clear() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.index, s.entries, s.free = nil, nil, nil
		s.mu.Unlock()
	}
}

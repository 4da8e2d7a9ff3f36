package traceview

import (
	"fmt"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
)

var (
	AssetParts   = assetParts
	DecodeLimits = decodeLimits
	IndentOf     = indentOf
	SpanHex      = spanHex
	TraceHex     = traceHex
)

const (
	Colors        = colors
	CompareLimit  = compareLimit
	ExactDepth    = exactDepth
	MaxBody       = maxBody
	MaxDepth      = maxDepth
	MaxHints      = maxHints
	MaxLine       = maxLine
	MaxLegend     = maxLegend
	MaxListLimit  = maxListLimit
	MaxName       = maxName
	MaxOpen       = maxOpen
	MaxOperations = maxOperations
	MaxPoints     = maxPoints
	MaxQuery      = maxQuery
	MaxServices   = maxServices
	MaxSpans      = maxSpans
	MaxStreams    = maxStreams
	QueueSize     = queueSize
	UsualSpans    = usualSpans
	WriteTime     = writeTime
)

type (
	APIError    = apiError
	JaegerTrace = jaegerTrace
	SummaryV3   = summaryV3
	Update      = update
)

// StandStill stops the clock of v, and makes v forget what it has.
func StandStill(v *View, at time.Time) {
	v.now = func() time.Time { return at }
	v.zone = time.UTC
	v.boot = "boot"
	v.store.now = v.now
	v.store.clear()
}

// Put stores a span of a process as if it had come in with so many tags and logs over the limits. It reports whether
// the span is kept.
func Put(v *View, p model.Process, s model.Span, dropped int) bool {
	return v.store.add(v.store.process(p), &s, dropped)
}

// FirstSpanOf is the first span of a trace that v keeps.
func FirstSpanOf(v *View, trace model.TraceID) model.Span {
	snap, _ := v.store.get(trace)
	return snap.list[0].Span
}

// Counts is what a View counts of what it keeps and what it has lost.
type Counts struct {
	Bytes, Traces, Spans, Processes          int
	Received, Duplicates, Lost               int
	EvictedTraces, EvictedSpans, Cut, Change int
}

// CountsOf returns what v counts.
func CountsOf(v *View) Counts {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	t := v.store.totals
	return Counts{
		Bytes: v.store.bytes, Traces: len(v.store.traces), Spans: t.spans, Processes: len(v.store.processes),
		Received: t.received, Duplicates: t.duplicates, Lost: int(v.overflow.Load()),
		EvictedTraces: t.evictedTraces, EvictedSpans: t.evictedSpans, Cut: t.cut, Change: int(v.store.change),
	}
}

// Recount counts anew what v counts as it goes, and returns how the two differ.
func Recount(v *View) (differences []string) {
	s := v.store
	s.mu.Lock()
	defer s.mu.Unlock()
	bytes, retained, spans := 0, 0, 0
	for _, p := range s.processes {
		bytes += p.bytes
	}
	for _, t := range s.traces {
		bytes += t.bytes
		spans += len(t.spans)
		if t.retained {
			retained += t.bytes
		}
		if t.slow < 0 {
			differences = append(differences, fmt.Sprintf("trace %v is among the slowest %d times", t.id, t.slow))
		}
	}
	totals := s.totals
	for _, c := range []struct {
		what            string
		counted, actual int
	}{
		{"bytes", s.bytes, bytes},
		{"bytes of retained traces", s.retainedBytes, retained},
		{"spans", totals.spans, spans},
		{"traces", s.regular.Len() + s.retained.Len(), len(s.traces)},
		{"received spans", totals.received, totals.spans + totals.evictedSpans + totals.cut + totals.duplicates},
	} {
		if c.counted != c.actual {
			differences = append(differences, fmt.Sprintf("%s: %d are counted, %d are there", c.what, c.counted, c.actual))
		}
	}
	return differences
}

// StopWorker keeps v from taking spans out of its queue until the returned function is called.
func StopWorker(v *View) (resume func()) {
	v.drainMu.Lock()
	return v.drainMu.Unlock
}

// WithoutWorker keeps v from starting the goroutine that takes spans out of its queue, so that only the caller of
// Report allocates. The returned function empties the queue.
func WithoutWorker(v *View) (drain func()) {
	v.working.Store(true)
	return func() {
		v.drain()
		v.working.Store(false)
	}
}

// IsWorking reports whether the goroutine runs that takes spans out of the queue.
func IsWorking(v *View) bool { return v.working.Load() }

// StoreSpan does what the worker does with a span.
func StoreSpan(v *View, s *jaeger.Span) { v.take(s.Retain()) }

// EndOpen marks a span in flight as ended.
func EndOpen(v *View, sc *jaeger.SpanContext) { v.open.end(keyOf(sc)) }

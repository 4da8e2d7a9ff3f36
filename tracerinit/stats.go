package tracerinit

import (
	"sync/atomic"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/model"
)

// Stats says what became of every span since Start. When no span is just starting or ending,
//
//	Started + Repeated = Open + Unsampled + Reported
//
// and for each exporter Reported = Queued + InFlight + Delivered + the sum of Dropped, where its Reported is that
// of the tracer. Repeated is 0 unless the program ends spans more than once.
type Stats struct {
	Started     uint64
	Open        uint64 // started, not finished yet
	Unsampled   uint64 // finished, and not to be recorded
	Reported    uint64 // finished and handed to each exporter and reporter
	Repeated    uint64 // calls of Finish that had no span left to finish
	Limited     LimitStats
	Exporters   []ExporterStats
	Reporters   []ReporterStats
	Sampler     SamplerStats  // zero unless the sampler is remote
	Propagation carrier.Stats // what callers sent
}

// LimitStats counts what [Limits] took from the spans that were exported. Each span also says so itself: in OTLP by its
// dropped counts, in Jaeger by the tags otel.dropped_attributes_count and otel.dropped_events_count.
type LimitStats struct {
	Spans  uint64 // that lost something
	Tags   uint64 // left out
	Logs   uint64 // left out
	Fields uint64 // of logs, left out
	Values uint64 // shortened
}

// ExporterStats says where the spans reported to one exporter are.
type ExporterStats struct {
	Name      string // such as "otlp/http"
	Endpoint  string // secrets masked
	Reported  uint64
	Queued    uint64
	InFlight  uint64 // being sent
	Bytes     uint64 // of the spans queued and in flight, encoded; at most Queue.Bytes
	Delivered uint64
	Dropped   Dropped
	Failures  uint64 // attempts to send that failed, whether or not a later one succeeded
	LastError string // of the last failed attempt, secrets masked
}

// Dropped counts lost spans by reason.
type Dropped struct {
	QueueFull uint64 // the queue was full, by number or by bytes
	Failed    uint64 // the backend could not be reached until the time limit of retries
	Refused   uint64 // the backend refused the batch, or answered what no retry can mend
	Rejected  uint64 // the backend took the batch, but not these spans of it
	TooLarge  uint64 // did not fit one message, even trimmed, or the whole queue; or could not be encoded
	Closed    uint64 // reported after Shutdown, or not sent when it ended
}

// Total is the sum of all reasons.
func (d Dropped) Total() uint64 { return export.Drops(d).Total() }

// ReporterStats says what became of the spans for one of Config.Reporters: their sum is Stats.Reported.
type ReporterStats struct {
	Name      string // its type
	Delivered uint64
	Panicked  uint64 // Report panicked, or ended its goroutine
	Closed    uint64 // came after Shutdown
}

// SamplerStats says how requests to the sampling server went.
type SamplerStats struct {
	Requests  uint64 // answered or not
	Failed    uint64 // no answer, or not a good one: the strategy before went on
	Changed   uint64 // answers that brought a new strategy
	LastError string // secrets masked
}

// Stats returns a snapshot.
func (t *Tracer) Stats() Stats {
	// In this order a span that is just ending is never counted as two.
	reported := t.fan.reported.Load()
	finished := t.counts.finished.Load()
	started := t.counts.started.Load()
	s := Stats{
		Started: started, Unsampled: finished - reported, Reported: reported, Propagation: t.propagator.Stats(),
		Limited: t.fan.limited.stats(),
	}
	if finished <= started {
		s.Open = started - finished
	} else {
		s.Repeated = finished - started
	}
	for _, p := range t.fan.pipelines {
		e := p.Stats()
		s.Exporters = append(s.Exporters, ExporterStats{
			Name: p.Name(), Endpoint: p.Endpoint(), Reported: e.Reported, Queued: e.Queued, InFlight: e.InFlight, Bytes: e.Bytes,
			Delivered: e.Delivered, Dropped: Dropped(e.Dropped), Failures: e.Failures, LastError: e.LastError,
		})
	}
	for _, r := range t.fan.reporters {
		s.Reporters = append(s.Reporters, ReporterStats{r.name, r.delivered.Load(), r.panicked.Load(), r.late.Load()})
	}
	if t.remote != nil {
		s.Sampler = t.remote.Stats()
	}
	return s
}

// limitCounts are the counters behind [LimitStats].
type limitCounts struct{ spans, tags, logs, fields, values atomic.Uint64 }

func (c *limitCounts) add(s *model.Span) {
	d := s.Dropped
	if d == (model.Dropped{}) {
		return
	}
	c.spans.Add(1)
	c.tags.Add(uint64(d.Tags))
	c.logs.Add(uint64(d.Logs))
	c.fields.Add(uint64(d.Fields))
	c.values.Add(uint64(d.Values))
}

func (c *limitCounts) stats() LimitStats {
	return LimitStats{c.spans.Load(), c.tags.Load(), c.logs.Load(), c.fields.Load(), c.values.Load()}
}

// counts are the spans that the engine started and finished, whatever it thought of their sampling at the time.
type counts struct{ started, finished counter }

type counter struct{ atomic.Uint64 }

// Inc implements the counter of jaeger-lib's metrics.
func (c *counter) Inc(n int64) { c.Add(uint64(n)) }

// metrics returns the metrics for a tracer of jaeger-client-go: those that count spans here, and else the user's, which
// may be nil.
func (c *counts) metrics(user *jaeger.Metrics) *jaeger.Metrics {
	var m jaeger.Metrics
	if user != nil {
		m = *user
	} else {
		m = *jaeger.NewNullMetrics()
	}
	m.SpansStartedSampled = c.started.and(m.SpansStartedSampled, user)
	m.SpansStartedNotSampled = c.started.and(m.SpansStartedNotSampled, user)
	m.SpansStartedDelayedSampling = c.started.and(m.SpansStartedDelayedSampling, user)
	m.SpansFinishedSampled = c.finished.and(m.SpansFinishedSampled, user)
	m.SpansFinishedNotSampled = c.finished.and(m.SpansFinishedNotSampled, user)
	m.SpansFinishedDelayedSampling = c.finished.and(m.SpansFinishedDelayedSampling, user)
	return &m
}

// metric is a counter of jaeger-lib.
type metric interface{ Inc(int64) }

// and returns a counter that counts into c, and into other if the user gave metrics.
func (c *counter) and(other metric, user *jaeger.Metrics) metric {
	if user == nil {
		return c
	}
	return twoCounters{c, other}
}

type twoCounters struct {
	ours *counter
	user metric
}

func (t twoCounters) Inc(n int64) {
	t.ours.Inc(n)
	t.user.Inc(n)
}

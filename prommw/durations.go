package prommw

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

const (
	other = "_OTHER" // of labels of what is not counted by itself

	// aborted is the error_type of requests that were given up by the client, which is no failure.
	aborted = "aborted"
)

// key identifies a series of a histogram. HTTP and gRPC each make its label values in their own way.
type key struct {
	method, route, errorType string
	status                   int
}

// durations is a [prometheus.HistogramVec] with a histogram for each key, up to a limit.
type durations struct {
	vec        *prometheus.HistogramVec
	max        int
	exemplars  time.Duration
	start      time.Time
	overflowed prometheus.Counter

	mu    sync.RWMutex
	known map[key]*series
	// over are the series of what is over the limit, without errors and with: a rate of errors stays right.
	over [2]*series
}

type series struct {
	prometheus.Observer
	exemplar atomic.Int64 // when the last one was made, see durations.now
}

func newDurations(cfg Config, vec *prometheus.HistogramVec, overflowed prometheus.Counter) *durations {
	return &durations{
		vec: vec, max: cfg.MaxSeries, exemplars: cfg.Exemplars, start: time.Now(), overflowed: overflowed,
		known: make(map[key]*series),
	}
}

func (d *durations) observe(k key, labels func(key) []string, took time.Duration, span opentracing.Span) {
	k.route, k.errorType = bounded(k.route), bounded(k.errorType)
	s := d.series(k, labels)
	if trace := d.exemplarFor(s, span); trace != nil {
		s.Observer.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), trace)
		return
	}
	s.Observe(took.Seconds())
}

func (d *durations) series(k key, labels func(key) []string) *series {
	d.mu.RLock()
	s := d.known[k]
	d.mu.RUnlock()
	if s != nil {
		return s
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s = d.known[k]; s != nil {
		return s
	}
	if len(d.known) < d.max {
		k.method, k.route = strings.Clone(k.method), strings.Clone(k.route) // they may be parts of a whole request
		s = &series{Observer: d.vec.WithLabelValues(labels(k)...)}
		d.known[k] = s
		return s
	}
	d.overflowed.Inc()
	failed := 0
	over := key{method: other, route: other, status: noStatus}
	if k.errorType != "" && k.errorType != aborted {
		failed, over.errorType = 1, other
	}
	if d.over[failed] == nil {
		d.over[failed] = &series{Observer: d.vec.WithLabelValues(labels(over)...)}
	}
	return d.over[failed]
}

// exemplarFor returns the ids of a sampled span, or nil if s had an exemplar just now: each costs 18 allocations.
func (d *durations) exemplarFor(s *series, span opentracing.Span) prometheus.Labels {
	if d.exemplars < 0 || span == nil {
		return nil
	}
	now, last := d.now(), s.exemplar.Load()
	if now-last < int64(d.exemplars) || !sampled(span) || !s.exemplar.CompareAndSwap(last, now) {
		return nil
	}
	sc := span.Context()
	id := carrier.TraceID(sc)
	if id == "" {
		return nil
	}
	return prometheus.Labels{"trace_id": id, "span_id": carrier.SpanID(sc)}
}

// now returns nanoseconds that rise whatever is done to the clock, and are late enough for a first exemplar.
func (d *durations) now() int64 { return int64(time.Since(d.start) + d.exemplars) }

// sampled reports whether span is known to be sampled. It allocates nothing for spans of jaeger-client-go, and for
// those that wrap one, as those of a bridge to OpenTelemetry do.
func sampled(span opentracing.Span) bool {
	if wrapper, ok := span.(interface{ Unwrap() opentracing.Span }); ok {
		span = wrapper.Unwrap()
	}
	if s, ok := span.(interface{ SpanContext() jaeger.SpanContext }); ok {
		return s.SpanContext().IsSampled()
	}
	sc, ok := span.Context().(interface{ IsSampled() bool })
	return ok && sc.IsSampled()
}

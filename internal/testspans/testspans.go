// Package testspans fails tests that leave spans of jaeger-client-go open. Tracers of tracerinit count open spans
// themselves, and those of spantest check theirs.
package testspans

import (
	"sync/atomic"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Finished returns an option with which a tracer counts its spans, and the test fails if some are still open when it
// ends. The option takes the place of the tracer's metrics. It changes nothing else, so that spans take the same path
// through the engine as without it. Spans that something else starts and finishes are counted by others, which return
// how many of them are open.
func Finished(t testing.TB, others ...func() int64) jaeger.TracerOption {
	t.Helper()
	var open atomic.Int64
	t.Cleanup(func() {
		n := open.Load()
		for _, other := range others {
			n += other()
		}
		if n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
	})
	m := jaeger.NewNullMetrics()
	started, finished := step{&open, 1}, step{&open, -1}
	m.SpansStartedSampled, m.SpansStartedNotSampled, m.SpansStartedDelayedSampling = started, started, started
	m.SpansFinishedSampled, m.SpansFinishedNotSampled, m.SpansFinishedDelayedSampling = finished, finished, finished
	return jaeger.TracerOptions.Metrics(m)
}

// Start starts a span that is finished when the test ends, for tests that need no more of it than that it is there.
func Start(
	t testing.TB, tracer opentracing.Tracer, name string, options ...opentracing.StartSpanOption,
) opentracing.Span {
	t.Helper()
	span := tracer.StartSpan(name, options...)
	t.Cleanup(span.Finish)
	return span
}

// step is a counter of jaeger-client-go that moves the number of open spans by its sign.
type step struct {
	open *atomic.Int64
	sign int64
}

// Inc implements the counter.
func (s step) Inc(n int64) { s.open.Add(s.sign * n) }

package tracerinit

import (
	"sync"
	"time"

	"github.com/uber/jaeger-client-go"
)

const metricsInterval = time.Second

// metricsFeed keeps those of [Config.Metrics] up to date that only exporters and the remote sampler can know. It reads
// [Tracer.Stats] once a second, since the counters there are what everything else agrees with.
type metricsFeed struct {
	tracer *Tracer
	to     *jaeger.Metrics
	seen   fedMetrics
	stop   chan struct{}
	done   chan struct{}
	end    sync.Once
}

// fedMetrics are the counters as of the last update.
type fedMetrics struct{ delivered, failed, dropped, fetched, notFetched, changed uint64 }

func startMetricsFeed(t *Tracer, to *jaeger.Metrics) *metricsFeed {
	f := &metricsFeed{tracer: t, to: to, stop: make(chan struct{}), done: make(chan struct{})}
	go f.run()
	return f
}

func (f *metricsFeed) run() {
	defer close(f.done)
	ticker := time.NewTicker(metricsInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.update()
		case <-f.stop:
			return
		}
	}
}

// shutdown updates the metrics for the last time, after the exporters have ended.
func (f *metricsFeed) shutdown() {
	f.end.Do(func() {
		close(f.stop)
		<-f.done
		f.update()
	})
}

func (f *metricsFeed) update() {
	defer func() { _ = recover() }() // the counters are the user's
	stats := f.tracer.Stats()
	var now fedMetrics
	var queued uint64
	for _, e := range stats.Exporters {
		now.delivered += e.Delivered
		now.dropped += e.Dropped.QueueFull + e.Dropped.Closed
		now.failed += e.Dropped.Total() - e.Dropped.QueueFull - e.Dropped.Closed
		queued += e.Queued
	}
	now.fetched = stats.Sampler.Requests - stats.Sampler.Failed
	now.notFetched, now.changed = stats.Sampler.Failed, stats.Sampler.Changed
	before := f.seen
	f.seen = now
	f.to.ReporterQueueLength.Update(int64(queued))
	for _, c := range []struct {
		counter     metric
		now, before uint64
	}{
		{f.to.ReporterSuccess, now.delivered, before.delivered},
		{f.to.ReporterFailure, now.failed, before.failed},
		{f.to.ReporterDropped, now.dropped, before.dropped},
		{f.to.SamplerRetrieved, now.fetched, before.fetched},
		{f.to.SamplerQueryFailure, now.notFetched, before.notFetched},
		{f.to.SamplerUpdated, now.changed, before.changed},
	} {
		if c.now > c.before {
			c.counter.Inc(int64(c.now - c.before))
		}
	}
}

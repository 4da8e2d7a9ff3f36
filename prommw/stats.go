package prommw

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanloom/spanloom/tracerinit"
)

// NewStatsCollector returns a collector of [tracerinit.Tracer.Stats]. Alarms belong on
// spanloom_exporter_dropped_spans_total, the spans lost by reason. Exporters and reporters are numbered in the order of
// the configuration. A collector of a nil tracer has no metrics. For several tracers, register each collector with a
// label of its own, by [prometheus.WrapRegistererWith].
func NewStatsCollector(tracer *tracerinit.Tracer) prometheus.Collector { return statsCollector{tracer} }

type statsCollector struct{ tracer *tracerinit.Tracer }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("spanloom_"+name, help, labels, nil)
}

var (
	spansStarted   = desc("spans_started_total", "Spans started.")
	spansOpen      = desc("spans_open", "Spans started and not finished.")
	spansUnsampled = desc("spans_unsampled_total", "Spans finished that were not to be recorded.")
	spansReported  = desc("spans_reported_total", "Spans finished and handed to each exporter and reporter.")
	spansLimited   = desc("spans_limited_total", "Spans that lost something to the limits.")

	exporterQueued    = desc("exporter_queued_spans", "Spans waiting to be sent.", "exporter", "number")
	exporterInFlight  = desc("exporter_inflight_spans", "Spans being sent.", "exporter", "number")
	exporterBytes     = desc("exporter_queue_bytes", "Encoded size of the spans not sent.", "exporter", "number")
	exporterDelivered = desc("exporter_delivered_spans_total", "Spans delivered.", "exporter", "number")
	exporterFailures  = desc("exporter_failed_attempts_total", "Attempts to send that failed.", "exporter", "number")
	exporterDropped   = desc("exporter_dropped_spans_total", "Spans lost.", "exporter", "number", "reason")

	reporterDelivered = desc("reporter_delivered_spans_total", "Spans given to a reporter.", "reporter", "number")
	reporterDropped   = desc("reporter_dropped_spans_total", "Spans that a reporter lost.", "reporter", "number", "reason")

	samplerRequests = desc("sampler_requests_total", "Requests to the sampling server.")
	samplerFailed   = desc("sampler_failed_requests_total", "Requests to the sampling server that failed.")
)

func (statsCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		spansStarted, spansOpen, spansUnsampled, spansReported, spansLimited, exporterQueued, exporterInFlight,
		exporterBytes, exporterDelivered, exporterFailures, exporterDropped, reporterDelivered, reporterDropped,
		samplerRequests, samplerFailed,
	} {
		descs <- d
	}
}

func (c statsCollector) Collect(metrics chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, d *prometheus.Desc, value uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, kind, float64(value), labels...)
	}
	if c.tracer == nil {
		return
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	stats := c.tracer.Stats()
	send(counter, spansStarted, stats.Started)
	send(gauge, spansOpen, stats.Open)
	send(counter, spansUnsampled, stats.Unsampled)
	send(counter, spansReported, stats.Reported)
	send(counter, spansLimited, stats.Limited.Spans)
	for i, e := range stats.Exporters {
		name, number := valid(e.Name), strconv.Itoa(i)
		send(gauge, exporterQueued, e.Queued, name, number)
		send(gauge, exporterInFlight, e.InFlight, name, number)
		send(gauge, exporterBytes, e.Bytes, name, number)
		send(counter, exporterDelivered, e.Delivered, name, number)
		send(counter, exporterFailures, e.Failures, name, number)
		for reason, n := range dropped(e.Dropped) {
			send(counter, exporterDropped, n, name, number, reason)
		}
	}
	for i, r := range stats.Reporters {
		name, number := valid(r.Name), strconv.Itoa(i)
		send(counter, reporterDelivered, r.Delivered, name, number)
		send(counter, reporterDropped, r.Panicked, name, number, "panicked")
		send(counter, reporterDropped, r.Closed, name, number, "closed")
	}
	send(counter, samplerRequests, stats.Sampler.Requests)
	send(counter, samplerFailed, stats.Sampler.Failed)
}

func dropped(d tracerinit.Dropped) map[string]uint64 {
	return map[string]uint64{
		"queue_full": d.QueueFull, "failed": d.Failed, "refused": d.Refused, "rejected": d.Rejected,
		"too_large": d.TooLarge, "closed": d.Closed,
	}
}

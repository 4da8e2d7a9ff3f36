package prommw

import (
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

// Config shapes the metrics. Its zero value is a good one.
type Config struct {
	Buckets []float64 // upper bounds in seconds, rising; default: the 14 of OpenTelemetry
	// NativeFactor is the growth from one bucket of the native histogram to the next, above 1. Default 1.1; negative: no
	// native histograms.
	NativeFactor float64
	MaxSeries    int           // of each metric, besides those of the overflow; default 2000; negative: overflow only
	Exemplars    time.Duration // shortest time between two exemplars of a series; default 1 s; negative: no exemplars
}

// Metrics are the metrics of all the middlewares, transports and interceptors that have one of its options. It is a
// [prometheus.Collector], which must be registered once. Make one with [New].
type Metrics struct {
	httpServer, httpClient, grpcServer, grpcClient side
	overflowed                                     *prometheus.CounterVec
}

// side are the metrics of one protocol on a server or client.
type side struct {
	durations *durations
	active    *active
}

var _ prometheus.Collector = (*Metrics)(nil)

// complete returns the configuration with its defaults. What client_golang would only find when the first request ends
// is an error now.
func (cfg Config) complete() Config {
	if cfg.Buckets == nil {
		cfg.Buckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
	}
	for i, b := range cfg.Buckets {
		if math.IsNaN(b) || i > 0 && b <= cfg.Buckets[i-1] {
			panic(fmt.Sprintf("prommw: Buckets must rise: %v", cfg.Buckets))
		}
	}
	if cfg.NativeFactor == 0 {
		cfg.NativeFactor = 1.1
	}
	if !(cfg.NativeFactor > 1 || cfg.NativeFactor < 0) {
		panic(fmt.Sprintf("prommw: NativeFactor must be above 1, or negative: %v", cfg.NativeFactor))
	}
	if cfg.MaxSeries == 0 {
		cfg.MaxSeries = 2000
	}
	if cfg.Exemplars == 0 {
		cfg.Exemplars = time.Second
	}
	return cfg
}

// New returns metrics that have counted nothing. It panics if the buckets do not rise, or if NativeFactor is neither
// above 1 nor negative.
func New(cfg Config) *Metrics {
	cfg = cfg.complete()
	m := &Metrics{overflowed: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "prommw_overflowed_observations_total",
		Help: "Requests counted under _OTHER, since their series would have been over the limit.",
	}, []string{"metric"})}
	httpLabels := func(route string) []string {
		return []string{"http_request_method", route, "http_response_status_code", "error_type"}
	}
	rpcLabels := []string{"rpc_method", "rpc_response_status_code", "error_type"}
	m.httpServer = m.newSide(cfg, "http_server_", "request", "HTTP requests served", httpLabels("http_route"))
	m.httpClient = m.newSide(cfg, "http_client_", "request", "HTTP requests sent", httpLabels("url_template"))
	m.grpcServer = m.newSide(cfg, "rpc_server_", "call", "RPCs served", rpcLabels)
	m.grpcClient = m.newSide(cfg, "rpc_client_", "call", "RPCs sent", rpcLabels)
	return m
}

func (m *Metrics) newSide(cfg Config, prefix, unit, what string, labels []string) side {
	name := prefix + unit + "_duration_seconds"
	opts := prometheus.HistogramOpts{Name: name, Help: "Duration of " + what + ".", Buckets: cfg.Buckets}
	if cfg.NativeFactor > 1 {
		opts.NativeHistogramBucketFactor = cfg.NativeFactor
		opts.NativeHistogramMaxBucketNumber = 160
		opts.NativeHistogramMinResetDuration = time.Hour
	}
	inFlight := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: prefix + "active_" + unit + "s", Help: "Number of " + what + " that have not ended.",
	}, labels[:1])
	return side{
		durations: newDurations(cfg, prometheus.NewHistogramVec(opts, labels), m.overflowed.WithLabelValues(name)),
		active:    newActive(inFlight, rpcMethod, cfg.MaxSeries),
	}
}

// HTTPServer returns the option of [httpmw.Middleware] that counts what it serves.
func (m *Metrics) HTTPServer() httpmw.Option { return httpmw.WithObserver(httpObserver{&m.httpServer}) }

// HTTPClient returns the option of [httpmw.Transport] that counts what it sends.
func (m *Metrics) HTTPClient() httpmw.Option { return httpmw.WithObserver(httpObserver{&m.httpClient}) }

// GRPCServer returns the option of [grpcmw.ServerOptions] that counts what they serve.
func (m *Metrics) GRPCServer() grpcmw.Option { return grpcmw.WithObserver(grpcObserver{&m.grpcServer}) }

// GRPCClient returns the option of [grpcmw.DialOptions] that counts what they send.
func (m *Metrics) GRPCClient() grpcmw.Option { return grpcmw.WithObserver(grpcObserver{&m.grpcClient}) }

// Describe implements [prometheus.Collector].
func (m *Metrics) Describe(descs chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(descs)
	}
}

// Collect implements [prometheus.Collector].
func (m *Metrics) Collect(metrics chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(metrics)
	}
}

func (m *Metrics) collectors() []prometheus.Collector {
	all := []prometheus.Collector{m.overflowed}
	for _, s := range []side{m.httpServer, m.httpClient, m.grpcServer, m.grpcClient} {
		all = append(all, s.durations.vec, s.active.vec)
	}
	return all
}

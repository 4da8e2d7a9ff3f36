package jaegercfg

import (
	"cmp"
	"log/slog"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"

	"github.com/spanloom/spanloom/tracerinit"
)

// reporter sets what spans are sent to: the reporter of the options, or else a collector or an agent.
func reporter(c *tracerinit.Config, r *config.ReporterConfig, o options) {
	if o.reporter != nil {
		c.Reporters = append(c.Reporters, o.reporter)
		return
	}
	if r == nil {
		r = &config.ReporterConfig{}
	}
	c.Queue.Size, c.Queue.Interval = max(r.QueueSize, 0), max(r.BufferFlushInterval, 0)
	if r.LogSpans && o.logger != nil {
		c.Reporters = append(c.Reporters, jaeger.NewLoggingReporter(o.logger))
	}
	if r.CollectorEndpoint == "" {
		c.Exporters = []tracerinit.Exporter{tracerinit.JaegerUDP(cmp.Or(r.LocalAgentHostPort, "localhost:6831"))}
		if r.DisableAttemptReconnecting && !c.Disabled {
			logger := cmp.Or(c.Logger, slog.Default())
			logger.Warn(
				"jaegercfg: DisableAttemptReconnecting has no effect: the agent's name is always looked up again",
			)
		}
		return
	}
	options := []tracerinit.HTTPOption{tracerinit.WithHeaders(r.HTTPHeaders)}
	if r.User != "" && r.Password != "" {
		options = append(options, tracerinit.WithBasicAuth(r.User, r.Password))
	}
	c.Exporters = []tracerinit.Exporter{tracerinit.JaegerHTTP(r.CollectorEndpoint, options...)}
}

package rows

import (
	"log/slog"
	"os"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-lib/metrics"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/jaegercfg"
)

func stockConfig(cfg config.Configuration, logger jaeger.Logger, factory metrics.Factory) error {
	tracer, closer, err := cfg.NewTracer(config.Logger(logger))
	_, _ = tracer, closer
	_, err2 := cfg.FromEnv()
	closer, err3 := cfg.InitGlobalTracer("shop", config.Metrics(factory))
	_, _, _ = err, err2, err3
	defer closer.Close()
	return err
}

func kitConfig(cfg config.Configuration, logger jaeger.Logger, factory metrics.Factory) error {
	tracer, err := jaegercfg.Start(cfg, config.Logger(logger))
	_, err2 := jaegercfg.StartFromEnv(cfg)
	kit, err3 := jaegercfg.Convert(cfg, config.Metrics(factory))
	kit.Local = true
	_, _, _ = err, err2, err3
	defer tracer.Close()
	return err
}

// fields are the fields of tracerinit.Config that stand for those of config.Configuration.
func fields(r jaeger.Reporter, h jaeger.HeadersConfig, o jaeger.ContribObserver, m *jaeger.Metrics, s jaeger.Sampler,
	l *slog.Logger) []tracerinit.Config {
	return []tracerinit.Config{
		{Service: "shop"},
		{Disabled: true},
		{TraceID64: true},
		{Tags: map[string]any{"region": "north"}},
		{Sampler: tracerinit.Always()},
		{Sampler: tracerinit.Ratio(0.1)},
		{Sampler: tracerinit.RateLimit(10)},
		{Sampler: tracerinit.Remote("http://agent:5778/sampling", tracerinit.RemoteOptions{})},
		{Sampler: tracerinit.JaegerSampler(s)},
		{Exporters: []tracerinit.Exporter{tracerinit.JaegerUDP("agent:6831")}},
		{
			Exporters: []tracerinit.Exporter{
				tracerinit.JaegerHTTP("http://collector:14268/api/traces",
					tracerinit.WithBasicAuth("user", "password")),
			},
		},
		{Queue: tracerinit.Queue{Size: 1000}},
		{Reporters: []jaeger.Reporter{r}},
		{Propagation: carrier.Config{Jaeger: h}},
		{Propagation: carrier.Config{Debug: carrier.LimitDebug(1)}},
		{
			Propagation: carrier.Config{
				Baggage: carrier.Baggage{Allow: func(key string) bool { return key == "tenant" }},
			},
		},
		{TracerOptions: []jaeger.TracerOption{jaeger.TracerOptions.ContribObserver(o)}},
		{Metrics: m},
		{Logger: l},
	}
}

// optional is off unless a variable names a target.
func optional() (*tracerinit.Tracer, error) {
	off := os.Getenv("JAEGER_AGENT_HOST") == "" && os.Getenv("JAEGER_ENDPOINT") == ""
	return tracerinit.Start(tracerinit.Config{Service: "shop", Disabled: off})
}

// mixed is a stock tracer that reads and writes the kit's formats.
func mixed(cfg config.Configuration) (opentracing.Tracer, error) {
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		return nil, err
	}
	tracer, closer, err := cfg.NewTracer(carrier.Options(p, config.Injector, config.Extractor)...)
	_ = closer
	return tracer, err
}

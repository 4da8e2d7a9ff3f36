package jaegercfg

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
	"github.com/uber/jaeger-client-go/rpcmetrics"
	"github.com/uber/jaeger-lib/metrics"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

// convert returns the configuration, and a function that ends what it has started, for when no tracer is.
func convert(cfg config.Configuration, list []config.Option) (c tracerinit.Config, cleanup func(), err error) {
	o, err := read(list)
	if err != nil {
		return c, nil, err
	}
	if err := refused(cfg, o); err != nil {
		return c, nil, fmt.Errorf("jaegercfg: %w", err)
	}
	c = tracerinit.Config{
		Service: cfg.ServiceName, Disabled: cfg.Disabled, TraceID64: !cfg.Gen128Bit && !o.gen128Bit,
		Tags:      tags(o.tags, cfg.Tags),
		LookupEnv: func(string) (string, bool) { return "", false },
	}
	c.Propagation.Debug = carrier.AllowDebug() // as without a throttler
	if o.logger != nil {
		c.Logger = slog.New(logHandler{logger: o.logger})
	}
	if o.maxTagValueLength > 0 {
		c.Limits.ValueBytes = o.maxTagValueLength
	}
	propagation(&c, cfg.Headers, o)
	observation(&c, cfg.RPCMetrics, o)
	reporter(&c, cfg.Reporter, o)
	cleanup, err = sampler(&c, cfg.Sampler, o)
	if err != nil {
		return c, nil, fmt.Errorf("jaegercfg: %w", err)
	}
	return c, cleanup, nil
}

// refused returns an error for each thing that has no counterpart.
func refused(cfg config.Configuration, o options) error {
	if cfg.Disabled {
		return nil
	}
	var errs []error
	if cfg.BaggageRestrictions != nil {
		errs = append(errs,
			errors.New("field BaggageRestrictions: they come from an endpoint of the agent that Jaeger no "+
				"longer has; remove them, and limit baggage with Convert and tracerinit.Config.Propagation.Baggage"))
	}
	if cfg.Throttler != nil {
		errs = append(errs, errors.New("field Throttler: it needs an endpoint of the agent that Jaeger no longer has; "+
			"remove it, and use Convert and tracerinit.Config.Propagation.Debug = carrier.LimitDebug(perSecond)"))
	}
	if o.poolSpans {
		errs = append(errs, errors.New("option PoolSpans: it makes a program hang that uses a span after its end; "+
			"remove the option, a span of this kit takes one or two allocations"))
	}
	return errors.Join(errs...)
}

// tags merges lists of tags; of two with one key the last counts.
func tags(lists ...[]opentracing.Tag) map[string]any {
	var out map[string]any
	for _, list := range lists {
		for _, tag := range list {
			if out == nil {
				out = map[string]any{}
			}
			out[tag.Key] = tag.Value
		}
	}
	return out
}

// propagation passes codecs of the user's on, which win over the kit's for their format.
func propagation(c *tracerinit.Config, headers *jaeger.HeadersConfig, o options) {
	for format, injector := range o.injectors {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.Injector(format, injector))
	}
	for format, extractor := range o.extractors {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.Extractor(format, extractor))
	}
	headerNames(c, headers)
	if o.zipkinSharedRPCSpan {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.ZipkinSharedRPCSpan(true))
	}
	if o.randomNumber != nil {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.RandomNumber(o.randomNumber))
	}
}

// observation passes observers on, and metrics.
func observation(c *tracerinit.Config, rpcMetrics bool, o options) {
	if o.metrics != nil && o.metrics != metrics.NullFactory {
		c.Metrics = jaeger.NewMetrics(o.metrics, nil)
	}
	if rpcMetrics && o.metrics != nil {
		namespace := o.metrics.Namespace(
			metrics.NSOptions{Name: "jaeger-rpc", Tags: map[string]string{"component": "jaeger"}},
		)
		o.observers = append(o.observers, rpcmetrics.NewObserver(namespace, rpcmetrics.DefaultNameNormalizer))
	}
	for _, observer := range o.observers {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.Observer(observer))
	}
	for _, observer := range o.contribObservers {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.ContribObserver(observer))
	}
	if o.logger != nil && len(c.TracerOptions) > 0 {
		c.TracerOptions = append(c.TracerOptions, jaeger.TracerOptions.Logger(o.logger))
	}
}

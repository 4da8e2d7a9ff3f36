package jaegercfg

import (
	"fmt"
	"strings"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"

	"github.com/spanloom/spanloom/tracerinit"
)

const defaultProbability = 0.001 // of a configuration without a sampler, as in jaeger-client-go

// sampler sets the sampler of the options, or else that of the configuration. cleanup ends one that polls.
func sampler(c *tracerinit.Config, s *config.SamplerConfig, o options) (cleanup func(), err error) {
	cleanup = func() {}
	switch {
	case c.Disabled:
		return cleanup, nil
	case o.sampler != nil:
		c.Sampler = tracerinit.JaegerSampler(o.sampler)
		return cleanup, nil
	case s == nil:
		s = &config.SamplerConfig{Type: jaeger.SamplerTypeRemote, Param: defaultProbability}
	}
	switch kind := strings.ToLower(s.Type); kind {
	case jaeger.SamplerTypeConst:
		c.Sampler = tracerinit.Never()
		if s.Param != 0 {
			c.Sampler = tracerinit.Always()
		}
	case jaeger.SamplerTypeProbabilistic:
		c.Sampler = tracerinit.Ratio(s.Param)
	case jaeger.SamplerTypeRateLimiting:
		c.Sampler = tracerinit.RateLimit(s.Param)
	case jaeger.SamplerTypeRemote, "":
		return remote(c, s)
	default:
		return nil, fmt.Errorf(
			"field Sampler.Type: %q is none of const, probabilistic, ratelimiting and remote", s.Type,
		)
	}
	return cleanup, nil
}

// remote sets a remote sampler: [tracerinit.Remote], or, for what it alone has, that of jaeger-client-go.
func remote(c *tracerinit.Config, s *config.SamplerConfig) (cleanup func(), err error) {
	if !s.OperationNameLateBinding && len(s.Options) == 0 {
		c.Sampler = tracerinit.Remote(s.SamplingServerURL, tracerinit.RemoteOptions{
			Interval: s.SamplingRefreshInterval, MaxOperations: s.MaxOperations, Initial: tracerinit.Ratio(s.Param),
		})
		return func() {}, nil
	}
	stock, err := s.NewSampler(c.Service, metricsOf(c))
	if err != nil {
		return nil, err
	}
	c.Sampler = tracerinit.JaegerSampler(stock)
	return stock.Close, nil
}

func metricsOf(c *tracerinit.Config) *jaeger.Metrics {
	if c.Metrics != nil {
		return c.Metrics
	}
	return jaeger.NewNullMetrics()
}

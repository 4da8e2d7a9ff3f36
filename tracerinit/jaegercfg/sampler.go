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
		c.Sampler = given(o.sampler)
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

// remote sets a remote sampler: that of the kit, or, for what it alone has, that of jaeger-client-go.
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
	c.Sampler = given(stock)
	return stock.Close, nil
}

func metricsOf(c *tracerinit.Config) *jaeger.Metrics {
	if c.Metrics != nil {
		return c.Metrics
	}
	return jaeger.NewNullMetrics()
}

// given returns the kit's sampler that is the same as one of jaeger-client-go, or else a custom one.
func given(s jaeger.Sampler) tracerinit.Sampler {
	switch s := s.(type) {
	case *jaeger.ConstSampler:
		if s.Decision {
			return tracerinit.Always()
		}
		return tracerinit.Never()
	case *jaeger.ProbabilisticSampler:
		return tracerinit.Ratio(s.SamplingRate())
	case jaeger.SamplerV2:
		return tracerinit.CustomSampler(s)
	}
	return tracerinit.CustomSampler(decideOnce{s})
}

// decideOnce makes a sampler of the old interface decide when a trace begins, as jaeger-client-go does.
type decideOnce struct{ jaeger.Sampler }

// OnCreateSpan implements [jaeger.SamplerV2].
func (d decideOnce) OnCreateSpan(span *jaeger.Span) jaeger.SamplingDecision {
	return d.OnSetOperationName(span, span.OperationName())
}

// OnSetOperationName implements [jaeger.SamplerV2].
func (d decideOnce) OnSetOperationName(span *jaeger.Span, name string) jaeger.SamplingDecision {
	sampled, tags := d.IsSampled(span.SpanContext().TraceID(), name)
	return jaeger.SamplingDecision{Sample: sampled, Tags: tags}
}

// OnSetTag implements [jaeger.SamplerV2].
func (decideOnce) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// OnFinishSpan implements [jaeger.SamplerV2].
func (decideOnce) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

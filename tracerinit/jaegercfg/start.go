package jaegercfg

import (
	"fmt"
	"os"

	"github.com/uber/jaeger-client-go/config"

	"github.com/spanloom/spanloom/tracerinit"
)

// Start starts the tracer that cfg and opts describe and makes it [opentracing.GlobalTracer], as
// [config.Configuration.InitGlobalTracer] does. Environment variables have no effect, as with
// [config.Configuration.NewTracer]; see [StartFromEnv]. The errors are those of [Convert] and [tracerinit.Start].
func Start(cfg config.Configuration, opts ...config.Option) (*tracerinit.Tracer, error) {
	c, cleanup, err := convert(cfg, opts)
	if err != nil {
		return nil, err
	}
	tracer, err := tracerinit.Start(c)
	if err != nil {
		cleanup()
	}
	return tracer, err
}

// StartFromEnv is [Start] after the JAEGER_* variables have replaced fields of cfg, as [config.Configuration.FromEnv]
// lets them. So here the environment wins over code, where in [tracerinit.Start] code wins over the environment.
// Without JAEGER_SAMPLER_* and a sampler in cfg the rate is zero until a sampling server has answered, as it is with
// FromEnv. Malformed JAEGER_TAGS, for which FromEnv panics, are an error; a service link that Kubernetes puts into
// JAEGER_AGENT_PORT, for which it fails, is ignored.
func StartFromEnv(cfg config.Configuration, opts ...config.Option) (*tracerinit.Tracer, error) {
	cfg, err := (&overlay{lookup: os.LookupEnv}).apply(cfg)
	if err != nil {
		return nil, fmt.Errorf("jaegercfg: %w", err)
	}
	return Start(cfg, opts...)
}

// Convert returns the [tracerinit.Config] that [Start] uses. Its LookupEnv finds no variables; set it to [os.LookupEnv]
// to let the environment fill what is left out. A remote sampler that needs the stock client, see
// [config.SamplerConfig.Options] and OperationNameLateBinding, begins to poll at once, and ends with the tracer.
func Convert(cfg config.Configuration, opts ...config.Option) (tracerinit.Config, error) {
	c, _, err := convert(cfg, opts)
	return c, err
}

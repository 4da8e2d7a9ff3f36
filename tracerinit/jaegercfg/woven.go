package jaegercfg

import (
	"io"
	"log/slog"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"

	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/tracerinit"
)

// wovenNewTracer is called by code that is woven into [config.Configuration.NewTracer]: see orchestrion.yml. It starts
// this kit's tracer instead of the stock one. Like NewTracer it leaves the global tracer alone, unless that is the one
// that woven code has started in func main, which is replaced. ok is false if the caller is to go on as if there were
// no woven code: for configurations that [Start] refuses, so that no program fails that ran before.
func wovenNewTracer(
	cfg config.Configuration, opts []config.Option,
) (tracer opentracing.Tracer, closer io.Closer, ok bool) {
	if cfg.ServiceName == "" && !cfg.Disabled {
		return nil, nil, false // an error of the stock package
	}
	c, cleanup, err := convert(cfg, opts)
	if err == nil {
		c.Local = !woven.Provisional()
		var t *tracerinit.Tracer
		if t, err = tracerinit.Start(c); err == nil {
			return t, t, true
		}
		cleanup()
	}
	slog.Warn("tracing: the tracer of jaeger-client-go is kept", slog.Any("reason", err))
	return nil, nil, false
}

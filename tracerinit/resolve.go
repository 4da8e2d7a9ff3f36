package tracerinit

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/model"
)

// resolved is a [Config] whose every field has its value.
type resolved struct {
	service     string
	tags        []processTag
	disabled    bool
	sampler     Sampler
	propagation carrier.Config
	exporters   []exporterChoice
	reporters   []jaeger.Reporter
	logSpans    bool
	queue       Queue
	limits      model.Limits
	shutdown    time.Duration
	wideIDs     bool

	tracerOptions []jaeger.TracerOption
	metrics       *jaeger.Metrics
}

// resolve fills the gaps of cfg. What is in effect, what is wrong and what deserves a warning is collected in r.
func (r *resolver) resolve(cfg Config) resolved {
	attrs := r.attributes(cfg.Tags)
	out := resolved{
		service:     r.service(cmp.Or(cfg.Service, attrs.code["service.name"]), attrs),
		tags:        r.processTags(cfg, attrs),
		disabled:    r.disabled(cfg.Disabled),
		sampler:     r.sampler(cfg.Sampler),
		propagation: r.propagation(cfg.Propagation),
		exporters:   r.exporters(cfg),
		reporters:   r.reporters(cfg.Reporters),
		logSpans:    setting(r, "log_spans", false, false, from(r, "JAEGER_REPORTER_LOG_SPANS", boolean)),
	}
	restore := r.onlyIf(len(out.exporters) > 0)
	out.queue = r.queue(cfg.Queue)
	out.limits = r.limits(cfg.Limits)
	restore()
	out.shutdown = setting(r, "shutdown.timeout", cfg.ShutdownTimeout, 5*time.Second)
	if cfg.ShutdownTimeout < 0 {
		r.wrongCode("ShutdownTimeout", cfg.ShutdownTimeout, expected("a positive duration"))
	}
	out.wideIDs = r.wideIDs(cfg.TraceID64)
	out.tracerOptions, out.metrics = cfg.TracerOptions, cfg.Metrics
	r.withoutEffect()
	r.hints()
	if out.disabled {
		r.forgive()
	}
	return out
}

// forgive turns errors into one warning: a program whose tracing is disabled always starts.
func (r *resolver) forgive() {
	if err := r.err(); err != nil {
		r.warn("tracing is disabled; if it were enabled, it would not start", slogError(err))
	}
	r.errs = nil
}

func (r *resolver) reporters(code []jaeger.Reporter) []jaeger.Reporter {
	var out []jaeger.Reporter
	for i, reporter := range code {
		if reporter == nil {
			r.wrongCode(fmt.Sprintf("Reporters[%d]", i), nil, errors.New("want a reporter"))
			continue
		}
		r.note("reporter", fmt.Sprintf("%T", reporter), sourceCode)
		out = append(out, reporter)
	}
	return out
}

package tracerinit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/fromjaeger"
)

// Start builds the process's tracer, makes it [opentracing.GlobalTracer] unless cfg.Local is set, and starts
// exporting. It needs no network. Its error lists everything that is wrong with cfg and the environment; if tracing
// is disabled that is a warning instead. While a tracer is running as the global one, another Start is an error that
// says where the first was made; a global tracer of another package is replaced, with a warning. OpenTracing keeps
// its global tracer in a plain variable: call Start once, before the program serves requests.
func Start(cfg Config) (*Tracer, error) {
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = os.LookupEnv
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if err := globalIsFree(cfg.Local); err != nil {
		return nil, err
	}
	r := newResolver(cfg.LookupEnv)
	config := r.resolve(cfg)
	t := &Tracer{fan: &fanout{}, settings: r.settings, timeout: config.shutdown, origin: caller()}
	err := errors.Join(r.err(), t.build(config, cfg.Logger, len(r.errs) > 0))
	if !cfg.Local && err == nil {
		r.warnOfForeignGlobal()
	}
	r.log(cfg.Logger)
	if err != nil {
		t.abandon()
		return nil, fmt.Errorf("tracerinit: %w", err)
	}
	if cfg.Metrics != nil {
		t.metrics = startMetricsFeed(t, cfg.Metrics)
	}
	if !cfg.Local {
		opentracing.SetGlobalTracer(t)
		replaceProvisional()
	}
	return t, nil
}

// log writes the warnings.
func (r *resolver) log(logger *slog.Logger) {
	defer func() { _ = recover() }() // the logger's handler is the user's
	for _, w := range r.warnings {
		logger.LogAttrs(context.Background(), slog.LevelWarn, "tracing: "+w.text, w.attrs...)
	}
}

// globalIsFree returns an error if a [Tracer] is running as the global one.
func globalIsFree(local bool) error {
	global := opentracing.GlobalTracer()
	if bridge, ok := global.(interface{ Unwrap() opentracing.Tracer }); ok { // of package otelbridge
		global = bridge.Unwrap()
	}
	if t, ok := global.(*Tracer); ok && !local && !t.closed.Load() && !isProvisional(t) {
		return fmt.Errorf("tracerinit: the global tracer is already running, started at %s; "+
			"share it, shut it down first, or set Config.Local", t.origin)
	}
	return nil
}

// warnOfForeignGlobal warns if the global tracer is one that another package made: spans of code that keeps it go
// elsewhere, and whoever set it probably does not expect another.
func (r *resolver) warnOfForeignGlobal() {
	switch global := opentracing.GlobalTracer().(type) {
	case *Tracer, opentracing.NoopTracer, *opentracing.NoopTracer:
	default:
		r.warn("the global tracer that the program had set is replaced: look for opentracing.SetGlobalTracer, and for "+
			"InitGlobalTracer of jaeger-client-go, and set one tracer only (or Config.Local here)",
			slog.String("replaced", fmt.Sprintf("%T", global)))
	}
}

// caller returns where Start was called, by the program or through package jaegercfg.
func caller() string {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if !more || !strings.HasPrefix(frame.Function, kitModule+"/tracerinit/jaegercfg.") {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

// build makes the parts of t. If the configuration is known to be wrong it only looks for more errors.
func (t *Tracer) build(s resolved, logger *slog.Logger, wrong bool) error {
	sampler, errSampler := t.newSampler(s, logger, wrong)
	if s.propagation.Decide == nil && !s.disabled {
		s.propagation.Decide = func(id jaeger.TraceID) bool {
			yes, _ := sampler.IsSampled(id, "")
			return yes
		}
	}
	propagator, err := carrier.New(s.propagation)
	if err != nil && s.disabled {
		propagator, err = carrier.New(carrier.Config{})
	}
	if err != nil {
		return errors.Join(errSampler, fmt.Errorf("Config.Propagation: %w", err), t.open(s, logger))
	}
	t.propagator = propagator
	v2, isV2 := sampler.(jaeger.SamplerV2)
	if !isV2 {
		v2 = decideOnce{sampler}
	}
	t.tracer = newTracer(s, v2.(jaeger.Sampler), t.fan, t.counts.metrics(s.metrics), propagator)
	t.HoldLimits(s.limits)
	if mayUseEngine(s) {
		t.Hold(t.newEngine(s, sampler))
	}
	return errors.Join(errSampler, t.open(s, logger))
}

func (t *Tracer) newEngine(s resolved, sampler jaeger.Sampler) *engine.Engine {
	e := &engine.Engine{
		Owner: t, Tracer: t.tracer, Sampler: sampler, Reporter: t.fan, Propagator: t.propagator,
		TraceID128: s.wideIDs,
		Disabled:   &t.disabled, Started: &t.counts.started.Uint64, Finished: &t.counts.finished.Uint64,
	}
	if hasStartReporter(s.reporters) {
		e.StartReporter = t.fan
	}
	return e
}

// newSampler makes the sampler, and sets the fields of t that depend on it.
func (t *Tracer) newSampler(s resolved, logger *slog.Logger, wrong bool) (sampler jaeger.Sampler, err error) {
	sampler = s.sampler.local()
	switch {
	case s.disabled:
		t.disabled.Store(true)
		return Never().local(), nil
	case s.sampler.kind == remoteSampling && !wrong:
		if t.remote, err = startRemote(s.sampler, s.service, logger); err == nil {
			sampler = t.remote
		}
	case s.sampler.kind == customSampling && !wrong:
		t.custom = newCustomSampler(s.sampler.custom)
		sampler = t.custom
	}
	t.sampler = sampler
	return sampler, err
}

// newTracer makes the tracer of jaeger-client-go. All 64 bits of an id are random, by the runtime's generator, which is
// seeded by the system, so that neighbours which sample by the id are not misled.
func newTracer(
	s resolved, sampler jaeger.Sampler, fan *fanout, m *jaeger.Metrics, p *carrier.Propagator,
) *jaeger.Tracer {
	maxLogs := s.limits.Logs
	if maxLogs == allowsNone {
		maxLogs = 1 // to jaeger-client-go zero is no limit; the one is dropped later
	}
	options := append(p.TracerOptions(),
		jaeger.TracerOptions.Gen128Bit(s.wideIDs),
		jaeger.TracerOptions.RandomNumber(rand.Uint64),
		jaeger.TracerOptions.NoDebugFlagOnForcedSampling(true),
		jaeger.TracerOptions.MaxLogsPerSpan(maxLogs),
		jaeger.TracerOptions.MaxTagValueLength(max(s.limits.ValueBytes, 1<<20)),
		jaeger.TracerOptions.Metrics(m),
	)
	for _, tag := range s.tags {
		options = append(options, jaeger.TracerOptions.Tag(tag.key, tag.value))
	}
	if hasStartReporter(s.reporters) {
		options = append(options, jaeger.TracerOptions.ContribObserver(startObserver{fan}))
	}
	tracer, _ := jaeger.NewTracer(s.service, sampler, fan, append(options, s.tracerOptions...)...)
	return tracer.(*jaeger.Tracer)
}

// open starts the pipelines of all exporters, or returns what is wrong with them.
func (t *Tracer) open(s resolved, logger *slog.Logger) error {
	env := export.Env{Logger: logger, Process: processOf(s.service, nil)}
	loader := fromjaeger.Loader{Limits: s.limits}
	if t.tracer != nil {
		env.Process = processOf(s.service, t.tracer.Tags())
		loader.TraceState, loader.IsRandom = t.propagator.TraceState, t.propagator.IsRandom
	}
	t.fan.loaders.New = func() any { l := loader; return &l }
	t.fan.converter.init(t.fan, loader, s.queue.export())
	if s.logSpans {
		s.reporters = append(s.reporters[:len(s.reporters):len(s.reporters)], logReporter{logger})
	}
	for _, r := range s.reporters {
		t.fan.reporters = append(t.fan.reporters, guard(r))
	}
	var errs []error
	for i, e := range s.exporters {
		if s.disabled {
			break
		}
		p, err := export.Start(e.Factory, s.queue.export(), env)
		if err != nil {
			source := e.source
			if source == sourceCode {
				source = fmt.Sprintf("Config.Exporters[%d]", i)
			}
			errs = append(errs, fmt.Errorf("%s: exporter %s: %w", source, e.Name, err))
			continue
		}
		t.fan.pipelines = append(t.fan.pipelines, p)
	}
	return errors.Join(errs...)
}

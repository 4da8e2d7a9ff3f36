package otelbridge

import (
	"context"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// provider makes tracers for OpenTelemetry code.
type provider struct {
	embedded.TracerProvider
	bridge *Bridge
}

// Tracer implements [trace.TracerProvider].
func (p *provider) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	cfg := trace.NewTracerConfig(opts...)
	t := &tracer{bridge: p.bridge}
	var scope []opentracing.Tag
	if name != "" {
		scope = append(scope, opentracing.Tag{Key: semconv.KeyScopeName, Value: name})
	}
	if v := cfg.InstrumentationVersion(); v != "" {
		scope = append(scope, opentracing.Tag{Key: semconv.KeyScopeVersion, Value: v})
	}
	attrs := cfg.InstrumentationAttributes()
	c := converter{limit: p.bridge.limits.ValueLength}
	if cfg.SchemaURL() != "" || attrs.Len() > 0 {
		t.scope = &model.Scope{SchemaURL: cfg.SchemaURL(), Attributes: c.tags(attrs.ToSlice(), 1)}
	}
	for i, kind := range kinds {
		if kind.Key != "" {
			t.startTags[i] = append(t.startTags[i], kind)
		}
		t.startTags[i] = append(t.startTags[i], scope...)
	}
	return t
}

// kinds are the tags of span kinds. A span without one is internal.
var kinds = [...]opentracing.Tag{
	trace.SpanKindInternal: {},
	trace.SpanKindServer:   {Key: string(ext.SpanKind), Value: ext.SpanKindRPCServerEnum},
	trace.SpanKindClient:   {Key: string(ext.SpanKind), Value: ext.SpanKindRPCClientEnum},
	trace.SpanKindProducer: {Key: string(ext.SpanKind), Value: ext.SpanKindProducerEnum},
	trace.SpanKindConsumer: {Key: string(ext.SpanKind), Value: ext.SpanKindConsumerEnum},
}

// tracer starts the spans of one instrumentation scope.
type tracer struct {
	embedded.Tracer
	bridge    *Bridge
	scope     *model.Scope                  // what is no tag; nil if there is nothing
	startTags [len(kinds)][]opentracing.Tag // by kind
}

// Enabled reports whether spans may be recorded, so that libraries do not skip them.
func (t *tracer) Enabled() bool { return true }

// Start implements [trace.Tracer].
func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if ctx == nil {
		ctx = context.Background()
	}
	cfg := trace.NewSpanStartConfig(opts...)
	s := &span{bridge: t.bridge, tracer: t, own: true}
	parent := t.bridge.parentIn(ctx, cfg.NewRoot())
	if !s.startFast(name, &cfg, &parent) {
		s.startSlow(name, &cfg, &parent)
	}
	if cfg.NewRoot() {
		s.distrustLinked(cfg.Links())
	}
	s.shown = s.takeBaggage(ctx, parent.shown, s.inherited(&parent))
	if s.records() {
		s.setAttributes(cfg.Attributes())
		for _, l := range cfg.Links() {
			s.addLink(l)
		}
	}
	s.ctx = ctx
	return (*spanAsContext)(s), s
}

// inherited returns the baggage of a span that has just been started.
func (s *span) inherited(p *parent) map[string]string {
	switch {
	case !s.byEngine:
		return s.baggage()
	case p.valid:
		return engine.Baggage(&p.jaeger)
	}
	return nil
}

// parent is what a span is started with as its parent.
type parent struct {
	jaeger  jaeger.SpanContext
	foreign opentracing.SpanContext // of another tracer, in place of jaeger
	valid   bool
	shown   *span // whose baggage OpenTelemetry has seen in the context, or nil
}

func (p *parent) context() opentracing.SpanContext {
	switch {
	case !p.valid:
		return nil
	case p.foreign != nil:
		return p.foreign
	}
	return p.jaeger
}

// parentIn returns the parent of a span that is started in ctx.
func (b *Bridge) parentIn(ctx context.Context, root bool) (p parent) {
	a := b.activeIn(ctx)
	if _, ok := ctx.(*spanAsContext); ok || a.span != nil && a.span == ctx.Value(agreed) {
		p.shown = a.span
	}
	if root {
		return parent{}
	}
	sc := opentracing.SpanContext(nil)
	switch j := a.jaeger(); {
	case j != nil:
		p.jaeger, p.valid = engine.ContextOf(j), true
		return p
	case a.span != nil:
		sc = a.span.ot.Context()
	case a.plain != nil:
		if _, noop := a.plain.Tracer().(opentracing.NoopTracer); !noop {
			sc = a.plain.Context()
		}
	default:
		sc = b.contextOf(a.other)
	}
	if j, ok := sc.(jaeger.SpanContext); ok {
		p.jaeger, p.valid = j, true
	} else if sc != nil {
		p.foreign, p.valid = sc, true
	}
	return p
}

// jaeger returns the span of jaeger-client-go that is active, or nil.
func (a *active) jaeger() *jaeger.Span {
	if a.span != nil {
		return a.span.jaeger
	}
	return engine.Under(a.plain)
}

func kindOf(cfg *trace.SpanConfig) trace.SpanKind {
	if k := cfg.SpanKind(); k > 0 && int(k) < len(kinds) {
		return k
	}
	return trace.SpanKindInternal
}

// startFast starts the span by the engine of the tracer, if it has one and the engine can.
func (s *span) startFast(name string, cfg *trace.SpanConfig, p *parent) bool {
	e := s.bridge.engine
	if e == nil || p.foreign != nil {
		return false
	}
	kind := kindOf(cfg)
	r := engine.StartInfo{
		Name: name, Time: cfg.Timestamp(), Server: kind == trace.SpanKindServer,
		StartTags: s.tracer.startTags[kind], SpareTags: 2 + len(cfg.Attributes()), HideConst: true,
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	var sc *jaeger.SpanContext
	if p.valid {
		sc = &p.jaeger
	}
	if s.jaeger, _ = e.Start(&r, sc, nil); s.jaeger == nil {
		return false
	}
	s.ot, s.byEngine = s.jaeger, true
	return true
}

// startSlow starts the span by the tracer itself. Only the kind is given at the start: with more tags,
// jaeger-client-go drops those of the sampler.
func (s *span) startSlow(name string, cfg *trace.SpanConfig, p *parent) {
	var opts []opentracing.StartSpanOption
	if sc := p.context(); sc != nil {
		opts = append(opts, opentracing.ChildOf(sc))
	}
	if at := cfg.Timestamp(); !at.IsZero() {
		opts = append(opts, opentracing.StartTime(at))
	}
	tags := s.tracer.startTags[kindOf(cfg)]
	if len(tags) > 0 && tags[0].Key == string(ext.SpanKind) {
		opts = append(opts, tags[0])
		tags = tags[1:]
	}
	s.ot = s.bridge.below.StartSpan(name, opts...)
	s.jaeger = engine.Under(s.ot)
	s.setTags(tags)
}

package rpcspan

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Tracer returns t, or the current global tracer if t is nil. ok is false for a tracer that has no effect.
func Tracer(t opentracing.Tracer) (tracer opentracing.Tracer, ok bool) {
	if t == nil {
		t = opentracing.GlobalTracer()
	}
	_, noop := t.(opentracing.NoopTracer)
	return t, !noop && t != nil
}

// Parent is the context that a span becomes a child of. The zero Parent makes a root span.
type Parent struct {
	jaeger  jaeger.SpanContext // unless foreign is set
	foreign opentracing.SpanContext
	valid   bool
}

// Parent returns the span as the parent of others. It is called before any other code can reach the span.
func (s *Span) Parent() Parent {
	switch {
	case s.engine != nil:
		return Parent{jaeger: engine.ContextOfNew(s.jaeger), valid: true}
	case s.jaeger != nil:
		return Parent{jaeger: s.jaeger.SpanContext(), valid: true}
	}
	return Parent{foreign: s.span.Context(), valid: true}
}

// IsValid reports whether there is a parent.
func (p *Parent) IsValid() bool { return p.valid }

// Context returns the parent's context, or nil if there is none.
func (p *Parent) Context() opentracing.SpanContext {
	if p.foreign == nil && p.valid {
		return p.jaeger
	}
	return p.foreign
}

// Jaeger returns the parent's context. ok is false if it is not one of jaeger-client-go.
func (p *Parent) Jaeger() (sc jaeger.SpanContext, ok bool) {
	return p.jaeger, p.valid && p.foreign == nil
}

// jaegerOrNil returns the parent's context of jaeger-client-go, or nil for a root span.
func (p *Parent) jaegerOrNil() *jaeger.SpanContext {
	if !p.valid {
		return nil
	}
	return &p.jaeger
}

// SameTrace reports whether two parents are known to belong to one trace.
func (p *Parent) SameTrace(q *Parent) bool {
	id := carrier.TraceID(p.Context())
	return id != "" && id == carrier.TraceID(q.Context())
}

// Remote returns the caller's context from a carrier. If the carrier holds none, or a malformed one, which the
// propagator counts, the result is not valid and the request goes on.
func Remote(t opentracing.Tracer, carrier any) (p Parent) {
	var err error
	if e := engine.Of(t); e != nil {
		p.jaeger, err = e.Extract(carrier)
		p.valid = err == nil
	} else if p.foreign, err = t.Extract(opentracing.HTTPHeaders, carrier); err != nil {
		p.foreign = nil
	}
	p.valid = p.valid || p.foreign != nil
	return p
}

// Active returns the context of the active span in ctx. A no-op span is no parent: tracers reject its references.
func Active(ctx context.Context) (p Parent) {
	span := opentracing.SpanFromContext(ctx)
	if span == nil {
		return p
	}
	if j := engine.Under(span); j != nil {
		return Parent{jaeger: engine.ContextOf(j), valid: true}
	}
	if _, noop := span.Tracer().(opentracing.NoopTracer); !noop {
		p.foreign = span.Context()
		p.valid = p.foreign != nil
	}
	return p
}

// ActiveBelow returns the context of the active span in ctx if that is nearer than the caller of a request: if both
// belong to one trace, or if there is no caller. Such a span is that of another server in front, which passes the
// request on with the headers that it came with. A span that does not trust the caller is nearer, too.
func ActiveBelow(ctx context.Context, caller *Parent) Parent {
	active := Active(ctx)
	if !active.IsValid() || !caller.IsValid() || active.SameTrace(caller) {
		return active
	}
	span, ok := opentracing.SpanFromContext(ctx).(interface {
		Distrusts(caller opentracing.SpanContext) bool
	})
	if ok && span.Distrusts(caller.Context()) {
		return active
	}
	return Parent{}
}

// Link records the ids of a caller that is not trusted to be the parent.
func (s *Span) Link(p *Parent) {
	if !p.valid || s.span == nil {
		return
	}
	if v, ok := s.span.(engine.View); ok {
		v.Distrust(p.Context())
	}
	s.LinkTo(p.Context())
}

// LinkTo records the ids of another span, such as an earlier attempt.
func (s *Span) LinkTo(sc opentracing.SpanContext) {
	if sc == nil {
		return
	}
	if id := carrier.TraceID(sc); id != "" {
		s.SetTag(semconv.KeyLinkTraceID, id)
		s.SetTag(semconv.KeyLinkSpanID, carrier.SpanID(sc))
	}
}

// ContextWithParent returns ctx with p as the parent of the spans that are started below and of the requests that are
// sent below, for a request that has no span itself.
func ContextWithParent(ctx context.Context, t opentracing.Tracer, p *Parent) context.Context {
	if !p.valid {
		return ctx
	}
	span := &noopSpan{Span: opentracing.NoopTracer{}.StartSpan(""), tracer: t, sc: p.Context()}
	return opentracing.ContextWithSpan(ctx, span)
}

// ContextWithStranger returns ctx for a request that has no span and whose caller is not trusted. Another tracing API
// that shares the tracer reads the caller's headers by itself, so it has to know that this caller is no parent.
func ContextWithStranger(ctx context.Context, t opentracing.Tracer, caller *Parent) context.Context {
	api, ok := t.(interface {
		ContextWithStranger(context.Context, opentracing.SpanContext) context.Context
	})
	if !ok || !caller.valid {
		return ctx
	}
	return api.ContextWithStranger(ctx, caller.Context())
}

// noopSpan is the active span of a request that is not traced. It records nothing and has the caller's context.
type noopSpan struct {
	opentracing.Span // a no-op
	tracer           opentracing.Tracer
	sc               opentracing.SpanContext
}

func (p *noopSpan) Tracer() opentracing.Tracer { return p.tracer }
func (p *noopSpan) IsRecording() bool          { return false }

// Context returns the caller's context. jaeger-client-go writes to the sampling state of a remote parent when a child
// starts, so children that start in parallel must not share that state. Each gets a copy, made by
// Extract or, with another propagator, by Inject and Extract.
func (p *noopSpan) Context() opentracing.SpanContext {
	original, ok := p.sc.(jaeger.SpanContext)
	if !ok {
		return p.sc
	}
	if sc, err := p.tracer.Extract(opentracing.HTTPHeaders, carrier.Copy{Context: original}); err == nil {
		return sc
	}
	wire := opentracing.TextMapCarrier{}
	if err := p.tracer.Inject(p.sc, opentracing.TextMap, wire); err != nil {
		return p.sc
	}
	sc, err := p.tracer.Extract(opentracing.TextMap, wire)
	if err != nil {
		return p.sc
	}
	return sc
}

func (p *noopSpan) BaggageItem(key string) (value string) {
	p.sc.ForeachBaggageItem(func(k, v string) bool {
		if k == key {
			value = v
		}
		return k != key
	})
	return value
}

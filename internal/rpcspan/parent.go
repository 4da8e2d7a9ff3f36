package rpcspan

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
)

// Tracer returns t, or the global tracer of the moment if t is nil, and whether it does anything at all.
func Tracer(t opentracing.Tracer) (opentracing.Tracer, bool) {
	if t == nil {
		t = opentracing.GlobalTracer()
	}
	_, noop := t.(opentracing.NoopTracer)
	return t, !noop && t != nil
}

// Parent is what a span is to be a child of. The zero Parent is nothing.
type Parent struct {
	own   jaeger.SpanContext // unless other is set
	other opentracing.SpanContext
	some  bool
}

// Parent returns the span as the parent of others. Nobody else may know the span yet.
func (s *Span) Parent() Parent {
	switch {
	case s.engine != nil:
		return Parent{own: engine.ContextOfNew(s.jaeger), some: true}
	case s.jaeger != nil:
		return Parent{own: s.jaeger.SpanContext(), some: true}
	}
	return Parent{other: s.span.Context(), some: true}
}

// Some reports whether there is a parent.
func (p *Parent) Some() bool { return p.some }

// Context returns the parent's context, or nil if there is none.
func (p *Parent) Context() opentracing.SpanContext {
	if p.other == nil && p.some {
		return p.own
	}
	return p.other
}

// Jaeger returns the parent's context if it is one of jaeger-client-go.
func (p *Parent) Jaeger() (sc jaeger.SpanContext, ok bool) { return p.own, p.some && p.other == nil }

// jaeger is nil for a root.
func (p *Parent) jaeger() *jaeger.SpanContext {
	if !p.some {
		return nil
	}
	return &p.own
}

// SameTrace reports whether two parents are known to be of one trace.
func (p *Parent) SameTrace(q *Parent) bool {
	id := carrier.TraceID(p.Context())
	return id != "" && id == carrier.TraceID(q.Context())
}

// Remote returns the caller's context as the carrier holds it. Errors mean that there is none to use: the request goes
// on, and the propagator counts them.
func Remote(t opentracing.Tracer, carrier any) (p Parent) {
	var err error
	if e := engine.Of(t); e != nil {
		p.own, err = e.Extract(carrier)
		p.some = err == nil
	} else if p.other, err = t.Extract(opentracing.HTTPHeaders, carrier); err != nil {
		p.other = nil
	}
	p.some = p.some || p.other != nil
	return p
}

// Active returns the span in ctx, unless it does nothing: tracers complain of references that are not theirs.
func Active(ctx context.Context) (p Parent) {
	span := opentracing.SpanFromContext(ctx)
	if span == nil {
		return p
	}
	if j, ok := span.(*jaeger.Span); ok {
		return Parent{own: engine.ContextOf(j), some: true}
	}
	if _, noop := span.Tracer().(opentracing.NoopTracer); !noop {
		p.other = span.Context()
		p.some = p.other != nil
	}
	return p
}

// Link records the ids of a caller whose context is not obeyed.
func (s *Span) Link(p *Parent) {
	if p.some && s.span != nil {
		s.LinkTo(p.Context())
	}
}

// LinkTo records the ids of another span, such as an earlier attempt.
func (s *Span) LinkTo(sc opentracing.SpanContext) {
	if sc == nil {
		return
	}
	if id := carrier.TraceID(sc); id != "" {
		s.SetTag("link.trace_id", id)
		s.SetTag("link.span_id", carrier.SpanID(sc))
	}
}

// PassOn returns ctx with p as the parent of whatever is started or sent below, though there is no span here.
func PassOn(ctx context.Context, t opentracing.Tracer, p *Parent) context.Context {
	if !p.some {
		return ctx
	}
	return opentracing.ContextWithSpan(ctx, &passing{Span: opentracing.NoopTracer{}.StartSpan(""), tracer: t, sc: p.Context()})
}

// passing stands for a request that is not traced: no span, but the caller's context for those below it.
type passing struct {
	opentracing.Span // does nothing
	tracer           opentracing.Tracer
	sc               opentracing.SpanContext
}

func (p *passing) Tracer() opentracing.Tracer { return p.tracer }
func (p *passing) IsRecording() bool          { return false }

// Context returns the caller's context. jaeger-client-go writes to the sampling state of a remote parent when a
// child starts, so children that start in parallel must not share it: each gets a copy that went over the wire.
func (p *passing) Context() opentracing.SpanContext {
	if _, ok := p.sc.(jaeger.SpanContext); !ok {
		return p.sc
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

func (p *passing) BaggageItem(key string) (value string) {
	p.sc.ForeachBaggageItem(func(k, v string) bool {
		if k == key {
			value = v
		}
		return k != key
	})
	return value
}

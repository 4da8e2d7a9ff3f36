package rpcspan

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// Tracer returns t, or the global tracer of the moment if t is nil, and whether it does anything at all.
func Tracer(t opentracing.Tracer) (opentracing.Tracer, bool) {
	if t == nil {
		t = opentracing.GlobalTracer()
	}
	_, noop := t.(opentracing.NoopTracer)
	return t, !noop && t != nil
}

// Remote returns the caller's context as the carrier holds it, or nil. Errors mean that there is none to use: the
// request goes on, and the propagator counts them.
func Remote(t opentracing.Tracer, carrier any) opentracing.SpanContext {
	sc, err := t.Extract(opentracing.HTTPHeaders, carrier)
	if err != nil {
		return nil
	}
	return sc
}

// Link records the ids of a caller whose context is not obeyed, or of an earlier attempt.
func (s *Span) Link(sc opentracing.SpanContext) {
	if sc == nil {
		return
	}
	if id := carrier.TraceID(sc); id != "" {
		s.SetTag("link.trace_id", id)
		s.SetTag("link.span_id", carrier.SpanID(sc))
	}
}

// PassOn returns ctx with sc as the parent of whatever is started or sent below, though there is no span here.
func PassOn(ctx context.Context, t opentracing.Tracer, sc opentracing.SpanContext) context.Context {
	if sc == nil {
		return ctx
	}
	return opentracing.ContextWithSpan(ctx, &passing{Span: opentracing.NoopTracer{}.StartSpan(""), tracer: t, sc: sc})
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

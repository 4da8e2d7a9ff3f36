package otelbridge

import (
	"context"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// The context keys of both APIs are private to them, so they are recorded from a look-up.
var (
	otelKey        = rpcspan.ContextKeyOf(func(ctx context.Context) { trace.SpanFromContext(ctx) })
	baggageKey     = rpcspan.ContextKeyOf(func(ctx context.Context) { baggage.FromContext(ctx) })
	openTracingKey = rpcspan.ContextKeyOf(func(ctx context.Context) { opentracing.SpanFromContext(ctx) })
)

// agreedKey is the key of the *span that both APIs last agreed on: what either API finds in its place was put into the
// context later.
type agreedKey struct{}

// callerKey is the key of the caller that a middleware has not trusted.
type callerKey struct{}

// boxed once, since a context boxes the key of each look-up.
var (
	agreed any = agreedKey{}
	caller any = callerKey{}
)

// spanAsContext is a span seen as the context that it was put into, with the span in it, for both APIs.
type spanAsContext span

func (c *spanAsContext) Deadline() (time.Time, bool) { return c.ctx.Deadline() }
func (c *spanAsContext) Done() <-chan struct{}       { return c.ctx.Done() }
func (c *spanAsContext) Err() error                  { return c.ctx.Err() }

func (c *spanAsContext) Value(key any) any {
	if v := (*span)(c).value(key, c.ctx); v != nil {
		return v
	}
	return c.ctx.Value(key)
}

// spanContext is a further context with a span that is the context it was first put into.
type spanContext struct {
	context.Context
	span *span
}

func (c *spanContext) Value(key any) any {
	if v := c.span.value(key, c.Context); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// contextIn returns ctx with s in it. The first time it allocates nothing.
func (s *span) contextIn(ctx context.Context) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx != nil {
		return &spanContext{ctx, s}
	}
	s.ctx, s.shown = ctx, s.baggage()
	return (*spanAsContext)(s)
}

// value returns what a context around ctx with s holds under key beyond what ctx does.
func (s *span) value(key any, ctx context.Context) any {
	switch key {
	case otelKey, openTracingKey, agreed:
		return s
	case baggageKey:
		return s.baggageValue(ctx)
	case caller:
		if s.caller != nil && !s.caller.linked {
			return s.caller
		}
	}
	return nil
}

// views is how the middlewares of the kit show their spans to a Bridge. It implements [engine.Views].
type views struct{ *Bridge }

func (b views) View(j *jaeger.Span) engine.View { return &span{bridge: b.Bridge, ot: j, jaeger: j} }

func (b views) Context(ctx context.Context, v engine.View) context.Context {
	s := v.(*span)
	s.shown = s.takeBaggage(ctx, nil, s.baggage()) // no one else has the span yet
	return ctx
}

func (b views) Value(key any, v engine.View) any {
	if key == openTracingKey {
		return nil // the middleware has answered that
	}
	return v.(*span).value(key, context.Background())
}

// active is the span that code below a context is a child of.
type active struct {
	span  *span             // of the bridge, or nil
	other trace.SpanContext // of another OpenTelemetry implementation, such as a remote caller
	plain opentracing.Span  // of the tracer below, that the bridge has not seen yet; nil
}

// activeIn returns the nearest span in ctx. If the APIs do not find the same span, it is the one of the API that has
// put a span into the context since they last did.
func (b *Bridge) activeIn(ctx context.Context) active {
	if c, ok := ctx.(*spanAsContext); ok { // the result of what follows, for less
		return active{span: (*span)(c)}
	}
	ot := opentracing.SpanFromContext(ctx)
	inOTel, _ := ctx.Value(otelKey).(trace.Span)
	mine, _ := inOTel.(*span)
	if mine != nil && mine.is(ot) {
		return active{span: mine}
	}
	last, _ := ctx.Value(agreed).(*span)
	otelIsNewer := inOTel != nil && (last == nil || mine != last) || inOTel == nil && last != nil // hidden by a nil span
	openTracingIsNewer := ot != nil && (last == nil || !last.is(ot))
	if openTracingIsNewer && otelIsNewer {
		otelIsNewer = mine == nil || !isChild(ot, mine)
	}
	switch {
	case otelIsNewer && mine != nil:
		return active{span: mine}
	case otelIsNewer && inOTel == nil:
		return active{}
	case otelIsNewer:
		return active{other: inOTel.SpanContext()}
	}
	if s, ok := ot.(*span); ok {
		return active{span: s}
	}
	return active{plain: ot}
}

// is reports whether s is, or wraps, the span ot.
func (s *span) is(ot opentracing.Span) bool {
	switch v := ot.(type) {
	case nil:
		return false
	case *span:
		return s == v || s.jaeger != nil && s.jaeger == v.jaeger
	case *jaeger.Span:
		return s.jaeger == v
	}
	return false
}

func isChild(child opentracing.Span, parent *span) bool {
	c := engine.Under(child)
	if c == nil || parent.jaeger == nil {
		return false
	}
	sc, p := engine.ContextOf(c), engine.ContextOf(parent.jaeger)
	return sc.TraceID() == p.TraceID() && sc.ParentID() == p.SpanID()
}

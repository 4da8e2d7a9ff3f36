package engine

import (
	"context"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

// Views is another tracing API that finds the spans of the middlewares in contexts, such as OpenTelemetry's.
type Views interface {
	// View returns j, which [Engine.Start] has just started, as a span of both APIs. The middleware puts it into its
	// context in place of j, and calls its Close.
	View(j *jaeger.Span) View
	// Context returns ctx with what else the API needs there, before the middleware puts v into it.
	Context(ctx context.Context, v View) context.Context
	// Value returns what a context with v holds under key for the API, or nil.
	Value(key any, v View) any
}

// View is a span seen through another API as well.
type View interface {
	opentracing.Span
	// Distrust records that the caller's context was not obeyed.
	Distrust(caller opentracing.SpanContext)
	// Close is called right before the span is finished. From then on, the View does not touch it. The result are
	// logs that the span lacks.
	Close() []opentracing.LogRecord
}

// Under returns the span of jaeger-client-go that s is or wraps, or nil.
func Under(s opentracing.Span) *jaeger.Span {
	switch s := s.(type) {
	case *jaeger.Span:
		return s
	case interface{ Unwrap() opentracing.Span }:
		j, _ := s.Unwrap().(*jaeger.Span)
		return j
	}
	return nil
}

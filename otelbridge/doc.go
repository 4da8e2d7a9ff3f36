// Package otelbridge lets libraries that speak the OpenTelemetry API take part in the traces of an OpenTracing program.
//
// Libraries such as otelsql, redisotel, otelmongo or otelconnect start their spans through OpenTelemetry's API alone,
// and their spans are lost in a program that traces with OpenTracing. [Install] makes one tracer serve both APIs:
//
//	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop"})
//	…
//	otelbridge.Install(tracer)
//
// From then on a span that either API starts is the parent of the spans that the other starts below it. The span that
// is active in a context is found by [trace.SpanFromContext] and by [opentracing.SpanFromContext], so that logs,
// metrics and error reporters which read OpenTelemetry's span context name the same trace. Spans keep what
// OpenTelemetry records of them: typed attributes, events, status, links and scope.
//
// What reaches a collector is what OpenTelemetry's SDK would have sent, within the same limits, which come from the
// tracer or from [WithLimits]. https://github.com/spanloom/spanloom/blob/main/docs/opentelemetry.md lists where the two
// differ on purpose, and what else a [Bridge] can be made around.
//
// The module depends on OpenTelemetry's API only. It has no SDK, so that it offers no span processors, and no
// sdktrace.ReadOnlySpan: tracerinit exports the spans.
//
// # What changes for OpenTracing code
//
// After Install a span is not a *jaeger.Span any more. Use [Unwrap] for what only that type has; the type assertion
// span.Context().(jaeger.SpanContext) holds as before.
//
// OpenTracing has no way to learn that OpenTelemetry code has put another span into a context with
// [trace.ContextWithSpan] alone. Where OpenTracing code runs below such a context, use [opentracing.ContextWithSpan]
// with the same span: each span of a [Bridge] that either API returns has the methods of both.
// [Bridge.Propagator] needs no such care, also beside others in one of OpenTelemetry's composite propagators.
package otelbridge

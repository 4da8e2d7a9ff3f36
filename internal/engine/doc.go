// Package engine starts and finishes the spans of jaeger-client-go faster than the library does. To start a span,
// [jaeger.Tracer.StartSpan] applies options, boxes contexts, copies baggage, calls a sampler through an interface made
// for more, and allocates lists that then grow; each tag takes three locks and FinishWithOptions four. An [Engine]
// allocates a span, its reference and capacity for its tags at once, sets its first tags with it, and finishes it under
// one lock. Spans that mostly end with the same tags share them: see [SharedTags]. The spans are ordinary values of
// [jaeger.Span]; everything else that is done with them is done by the library.
//
// The fields of a span are reached through package jaegerspan. Where that does not know the layout of the library's
// types, every function here uses the library's own methods. Which spans take this way is decided by tracerinit for the
// spans of the application, and by rpcspan for those of the middlewares.
package engine

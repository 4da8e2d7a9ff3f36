// Package carrier decides how a span context travels from one process to the next. It makes a jaeger-client-go
// tracer, which by itself knows uber-trace-id alone, read and write W3C Trace Context and B3, too:
//
//	p, err := carrier.New(carrier.Config{})
//	tracer, closer := jaeger.NewTracer("shop", sampler, reporter, p.TracerOptions()...)
//
// Programs that use package tracerinit need not do so: it registers a [Propagator] made of its Config.Propagation.
// A tracer made by jaeger-client-go's config package takes what [Options] returns.
//
// # Reading
//
// A [Propagator] looks for each format of Config.Extract in turn, and the first valid one is the parent. Others may
// name the same trace, and W3C's tracestate is then read, too; if they name a different one, that is counted and
// they are ignored. Keys match in any letter case. Each baggage style that is on is read beside any format and from
// any carrier, with the same result. What is wrong or too much is dropped item by item.
//
// # Writing
//
// Inject replaces every key of the formats that the Propagator reads or writes, so that a request that is passed on
// never carries a stale parent beside the new one. If the caller sent B3 alone, what this process sends in the trace
// has B3, too, beside W3C and Jaeger, unless Config.Inject lists the formats.
//
// Baggage has several writers. What the application or another library has put in the carrier stays: its items and
// those of the span are merged, and the span's item wins for its key. The limits hold for all that is sent: the items
// of others come first, then the span's; if the latter do not fit in all styles, they are sent in one. A line of a
// baggage header that cannot be parsed stays as it is, beside a line with the span's items.
//
// Escaping depends on the format that is passed to a tracer, never on the Go type of the carrier. With
// [opentracing.HTTPHeaders] values are escaped. With [opentracing.TextMap], which is for messages, the items that
// have a key each are plain text, as in every Jaeger client; the baggage header is escaped by its own grammar.
//
// # Middlewares
//
// A middleware that injects into a copy of the caller's headers calls [Propagator.Inject] on a shallow copy of the map:
// lists of values are replaced, never written to. [Propagator.SpanHeaders] has the headers by which two requests that
// carry the same span can be recognised. A middleware that does not trust a caller starts a root span and injects it
// into [Untrusted]; one whose caller sent baggage without ids calls [Propagator.Continue].
//
// # Trust
//
// Nothing that comes in can make a Propagator panic, log, or allocate more than 32 KiB. What it drops, it counts by
// cause in [Stats]. A caller's debug flag does nothing unless Config.Debug admits it. Baggage that an Allow function
// refused, or that was [Untrusted], is not merged back when a proxy copies the headers that came in.
//
// tracestate, the flag that a trace id is random, the properties of W3C baggage items, what was refused, and the
// encoding of B3 have no place in a [jaeger.SpanContext]. They stay with the trace, shared by all spans of a request
// in this process, and are used in every call that the request makes. They are not baggage, and no user code sees
// them but through [Propagator.TraceState].
package carrier

// Package carrier decides how a span context travels from one process to the next. It teaches a jaeger-client-go
// tracer, which by itself knows uber-trace-id alone, to read and write W3C Trace Context and B3 too:
//
//	p, err := carrier.New(carrier.Config{})
//	tracer, closer := jaeger.NewTracer("shop", sampler, reporter, p.TracerOptions()...)
//
// Programs that use tracerinit need not do so: it registers a Propagator made of its Config.Propagation.
//
// Reading. A Propagator looks for each format of Config.Extract in turn, and the first valid one wins. Others may
// name the same trace, and W3C's tracestate is then taken too; if they name a different one, that is counted and they
// are ignored. Keys match in any letter case. Baggage of all styles is merged; what is wrong or too much is dropped
// item by item.
//
// Writing. A Propagator first removes every key of the formats that it reads or writes, so that a request that is
// passed on never carries a stale parent beside the new one, and then sets the formats of Config.Inject.
//
// Trust. Nothing that comes in can make a Propagator panic, log, or allocate more than 32 KiB. What it drops, it
// counts by cause: see Stats. A caller's debug flag does nothing unless Config.Debug says so. To distrust a caller's
// context altogether is up to the middleware, which then does not extract it.
//
// tracestate, the flag that a trace id is random, and the properties of W3C baggage items have no place in a
// jaeger.SpanContext. They stay with the trace, shared by all spans of a request in this process, and are written to
// every call that the request makes. They are not baggage, and no user code sees them but through TraceState.
package carrier

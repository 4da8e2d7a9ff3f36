// Package jaegercfg starts the kit's tracer from the configuration of jaeger-client-go: its struct, its YAML, its
// options and its environment variables, as they are. Programs that build their tracer with
// github.com/uber/jaeger-client-go/config replace one call:
//
//	tracer, closer, err := cfg.NewTracer(jaegerconfig.Logger(logger), jaegerconfig.Metrics(factory)) // before
//	tracer, err := jaegercfg.Start(cfg, jaegerconfig.Logger(logger), jaegerconfig.Metrics(factory))  // after
//
// Most programs import the stock package under the name jaegercfg. The two can stand side by side if one of them gets
// another name; see the Example of [Start].
//
// [Convert] returns the [tracerinit.Config] instead of starting a tracer, for what the stock configuration cannot say:
// propagation formats, OTLP, several exporters.
//
// # What is mapped
//
// Every field of [config.Configuration] and every option is used, or refused with an error that says what to do
// instead. Refused are BaggageRestrictions and Throttler, which poll an endpoint of the agent that Jaeger no longer
// has, and PoolSpans, which makes a program hang when it uses a span after its end.
//
// Some things are better than they were. Contexts are read and written as W3C Trace Context, too. Spans that cannot be
// sent are sent again, and counted if they are lost. Tags are no longer cut at 256 bytes. A tracer that is disabled
// passes contexts on. Close returns in time. A queue of zero has the kit's size, 8192 spans.
//
// The kit's own metrics and observers cost nothing; those of jaeger-client-go do, since spans then take its slower
// path: Metrics, RPCMetrics, Observer, ContribObserver, Injector, Extractor, ZipkinSharedRPCSpan, WithRandomNumber, and
// custom samplers.
package jaegercfg

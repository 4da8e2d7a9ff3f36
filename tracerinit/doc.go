// Package tracerinit starts the one tracer that a process shares: configured by code and environment, sampling,
// exporting, and accounting for every span.
//
//	tracer, err := tracerinit.Start(tracerinit.Config{Service: "storefront"})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer tracer.Close()
//
// # Configuration
//
// Precedence, highest first: [Config], the JAEGER_* variables that jaeger-client-go reads (and JAEGER_PROPAGATION,
// JAEGER_AUTH_TOKEN), the OTEL_* variables of OpenTelemetry's SDKs, defaults. An empty variable is not set. A wrong
// value of a variable that something uses fails [Start], whose error lists all of them; one that nothing uses is a
// warning, and a disabled tracer always starts. Where variables of the two families disagree, one warning is logged.
// [Tracer.Settings] returns what is in effect, where it comes from, and what it overrides. No secret is ever shown.
// [Secret] is a type for those in code. docs/configuration.md lists every variable.
//
// By default all traces are sampled (a caller's decision is always kept), ids have 128 bits, contexts are read as W3C,
// Jaeger and B3 and written as W3C and Jaeger, and spans go as OTLP over HTTP to http://localhost:4318, unless an
// exporter or a reporter is configured. JAEGER_ENDPOINT (thrift over HTTP) or JAEGER_AGENT_HOST (thrift over UDP)
// choose Jaeger; OTEL_TRACES_EXPORTER=otlp,jaeger sends to both. Endpoints are used as they are written, so that those
// with a token in the path work; to OTEL_EXPORTER_OTLP_ENDPOINT /v1/traces is appended as OpenTelemetry defines it,
// unless its path ends in /v1/traces or /otlp/traces already.
//
// sampling.priority overrides the sampler for a span's trace. Among the options of StartSpan any number will do; in
// Span.SetTag it must be a uint16, which ext.SamplingPriority.Set takes care of.
//
// # Accounting
//
// Every span has one fate, which [Tracer.Stats] counts: started = open + unsampled + reported, unless the program ends
// spans more than once, and for each exporter reported = queued + in flight + delivered + dropped, by reason. Each
// exporter has its own queue and worker, so that a dead one holds up neither requests nor the others.
//
// # Delivery
//
// A span is encoded within [Limits] when it ends, and queued as bytes: a queue holds at most [Queue].Size spans and
// Queue.Bytes bytes, waiting and in flight. What limits took from spans is exported with them and in [Stats].Limited.
//
// OTLP is compressed with gzip off the loopback interface, until a receiver refuses that and takes the same batch as
// it is; thrift is compressed only with [WithCompression], since collectors of Jaeger v1 cannot read it. A batch that
// is too large for its receiver is halved down to one span, and the size is remembered for five minutes. [Retry] says
// which failures are tried again; after 429 and 503, or Unavailable over gRPC, that is on a new connection. A pause
// that the receiver requires and that would last longer than [Tracer.Shutdown] ends in one last try. A redirect is not
// followed, and an HTML page is not taken for a receipt. While a batch has no answer or a 5xx, others are tried in
// between. Certificates that the environment names are read again when the files change; [WithTokenSource] serves
// tokens that expire. Exporters over HTTP go through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name.
//
// What the kit sends is never traced by its own middlewares. Failures are logged at most once a minute for each
// exporter, those that passed without a loss not at all. [Tracer.Stats] has the last error of each exporter.
//
// # Lifecycle
//
// [Start] needs no network. [Tracer.Flush] waits for what was reported so far; [Tracer.Shutdown] and [Tracer.Close]
// also end the export, within their deadline whatever the network does. A tracer that is shut down, or disabled, still
// passes incoming contexts on, so that it does not cut the traces of its neighbours in two.
package tracerinit

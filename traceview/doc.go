// Package traceview shows the latest traces of a program in a browser, from its own memory. Nothing needs to be
// installed: give the view to the tracer and to the server.
//
//	view := traceview.New(traceview.Config{})
//	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop", Reporters: []jaeger.Reporter{view}})
//	…
//	mux.Handle("/debug/traces/", view)
//
// Mount it beside the traced router, not below the tracing middleware, or leave it out with httpmw.WithFilter;
// otherwise every page view is traced, too.
//
//	/                            recent traces, live; ?q= holds the search
//	/trace/{id}                  one trace as a waterfall; id in any form that people paste
//	/compare?a={id}&b={id}       two traces, path by path
//	/operations, /services       figures of each operation; who calls whom
//	POST /v1/traces              OTLP over HTTP, protobuf or JSON
//	POST /api/traces             Jaeger's thrift over HTTP
//	POST /api/v2/spans           Zipkin's JSON
//	POST /import                 a file of Jaeger, OTLP, Zipkin or Tempo JSON
//	/api/traces, /api/services … the query API that Jaeger's UI up to 2.19 and Grafana read; its answers are compared
//	                             with those of Jaeger 1.62 and 1.76 (v2), which have no /api/v3/trace-summaries yet
//
// Other programs, in any language, show on the same page if OTEL_EXPORTER_OTLP_ENDPOINT is its address and, where the
// default is grpc, OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf. A view accepts neither metrics nor logs: programs that
// send those, too, set OTEL_EXPORTER_OTLP_TRACES_ENDPOINT to its address followed by /v1/traces instead.
//
// The list begins with the requests in flight and their age, if their spans are sampled and the tracer is one of
// package tracerinit: at most the 4,096 spans that started last, for a day. Only the name, the ids and the start of an
// open span are read.
//
// [Config].MaxBytes and MaxTraces bound what is kept. The oldest traces are evicted first, but those with errors and
// the slowest of each operation stay longer, and pinned ones are never evicted. [View.Report] costs the caller a
// fraction of a microsecond and never blocks. The foot of each page counts what could not be kept.
//
// Do not expose the view: it shows what requests carried. It binds to nothing itself and answers only callers on the
// loopback interface that came without a proxy and under a loopback name. [Config].Allow can open it to others; put
// authentication there.
package traceview

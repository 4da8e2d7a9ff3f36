// Package spanlog adds the ids of the active OpenTracing span to the records of [log/slog], so that a log line leads to
// its trace.
//
//	logger := slog.New(spanlog.Handler(slog.NewJSONHandler(os.Stdout, nil)))
//	logger.InfoContext(ctx, "order placed", "id", 42)
//	// {"time":…,"level":"INFO","msg":"order placed","id":42,"trace_id":"4bf9…4736","span_id":"00f0…02b7"}
//
// The span is the one that [opentracing.SpanFromContext] finds, so only the methods of [slog.Logger] that take a
// context add ids: InfoContext does, Info does not. In a handler behind httpmw or grpcmw that is the request's context.
//
// The ids stand at the top level of a record, where log stores look for them, whatever groups the logger has opened. A
// record without a span costs nothing. [WithSpanLogs] also copies records onto the span, where Jaeger shows them.
//
// Other loggers need a few lines and no package: see docs/logging.md.
//
// [opentracing.SpanFromContext]: https://pkg.go.dev/github.com/opentracing/opentracing-go#SpanFromContext
package spanlog

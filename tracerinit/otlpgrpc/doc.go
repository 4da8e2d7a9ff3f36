// Package otlpgrpc sends spans as OTLP over gRPC. It is a package of its own so that programs that speak HTTP only do
// not link grpc.
//
//	tracer, err := tracerinit.Start(tracerinit.Config{
//		Service:   "storefront",
//		Exporters: []tracerinit.Exporter{otlpgrpc.New("collector:4317")},
//	})
//
// A program that only imports the package lets the environment choose it: OTEL_EXPORTER_OTLP_PROTOCOL=grpc then works
// with the other OTEL_EXPORTER_OTLP_* variables.
//
// The connection is the exporter's own: it has no interceptors and is never traced. It is replaced after a busy
// instance and when certificates that the environment names change; [WithTLS] sets up others. [WithTokenSource] serves
// tokens that expire. [WithHeaders] adds metadata to every call; its values are secrets.
package otlpgrpc

package tracerinit

import "github.com/spanloom/spanloom/internal/export"

// OTLPHTTP sends spans as OTLP protobuf over HTTP, to a collector or a vendor.
func OTLPHTTP(endpoint string, opts ...HTTPOption) Exporter { return export.Factory{Name: "otlp/http"} }

// JaegerHTTP sends spans as Jaeger thrift over HTTP to a collector.
func JaegerHTTP(endpoint string, opts ...HTTPOption) Exporter {
	return export.Factory{Name: "jaeger/http"}
}

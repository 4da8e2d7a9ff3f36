// Command spanview shows the traces of the programs on a developer's machine in a browser. It is a collector and a page
// in one program, and keeps its traces in memory:
//
//	go run ./cmd/spanview
//
// Programs in any language send their spans to the ports that their exporters use by default:
//
//	4318   OTLP over HTTP        OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
//	4317   OTLP over gRPC        OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317
//	14268  Jaeger thrift, HTTP   JAEGER_ENDPOINT=http://localhost:14268/api/traces
//	6831   Jaeger agent, UDP     compact protocol
//	6832   Jaeger agent, UDP     binary protocol
//	5778   Jaeger sampling       answers Jaeger's clients to sample everything
//	9411   Zipkin JSON, HTTP     http://localhost:9411/api/v2/spans
//	16686  the page
//
// Each flag takes a port, an address such as 127.0.0.1:4318, or off. All ports are bound to the loopback interface
// unless -host names another one; then whoever reaches the machine can read and send traces. Requests are answered only
// under an address or a name of this machine, so that no web page can read traces by a name of its own that resolves to
// this machine.
//
// With -keep FILE the traces are read from the file at the start, and written to it once a minute and at the end.
// Metrics and logs are refused: set OTEL_METRICS_EXPORTER and OTEL_LOGS_EXPORTER to none where programs send them.
package main

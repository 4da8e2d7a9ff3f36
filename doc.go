// Package spanloom is a kit that traces HTTP and gRPC services with OpenTracing.
//
// Put one middleware on a chi router, one interceptor on a gRPC server or connection, one transport under an
// http.Client, start one tracer, and every request becomes a span in a trace that crosses processes. Code written
// against OpenTracing stays as it is, and still talks to every modern neighbour (W3C Trace Context) and every modern
// backend (OTLP).
//
// This package holds no code. What to import:
//
//   - [github.com/spanloom/spanloom/tracerinit]: the one shared tracer: configuration, sampling, export, shutdown
//   - [github.com/spanloom/spanloom/tracerinit/otlpgrpc]: OTLP over gRPC, apart so that HTTP-only programs stay small
//   - [github.com/spanloom/spanloom/tracerinit/jaegercfg]: starts it from jaeger-client-go's own configuration
//   - [github.com/spanloom/spanloom/httpmw]: net/http and chi servers, http.Client transports
//   - [github.com/spanloom/spanloom/grpcmw]: gRPC interceptors
//   - [github.com/spanloom/spanloom/carrier]: formats, limits and trust of what travels between processes
//   - [github.com/spanloom/spanloom/otelbridge]: libraries that speak the OpenTelemetry API join the same trace; a
//     module of its own
//   - [github.com/spanloom/spanloom/spanlog]: trace and span ids in the records of log/slog
//   - [github.com/spanloom/spanloom/prommw]: Prometheus metrics of requests and of the tracer, a module of its own
//   - [github.com/spanloom/spanloom/weave]: all of it at compile time, without a line of code; a module of its own
//   - [github.com/spanloom/spanloom/traceview]: traces seen in a browser, from the program's own memory
//   - [github.com/spanloom/spanloom/cmd/spanview]: the same page as a program, a collector for a developer's machine
//   - [github.com/spanloom/spanloom/spantest]: a tracer for tests that watches over every span
package spanloom

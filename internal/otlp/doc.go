// Package otlp writes and reads spans as OTLP, the OpenTelemetry protocol, in protobuf and JSON.
//
// Jaeger's tags become what OTLP has fields for, and become tags again when read, by the rules of the OpenTelemetry
// collector's Jaeger translator:
//
//	span.kind                              kind; a span without it is INTERNAL
//	error=true, otel.status_code           status code
//	otel.status_description                status message; else an error's is that of its log event=error
//	a log's field event                    event name; a log without it is named "log"
//	references                             links, marked opentracing.ref_type=child_of or follows_from
//	otel.scope.name, otel.scope.version    read from the scope
//
// A tag is left out of the attributes only if the field alone brings it back. So a span that is written and read is
// the same span, but that its kind is "internal" if it had none, and that an error also has otel.status_code=ERROR and,
// if a log says why, otel.status_description, as Jaeger shows it.
//
// The decoders take hostile input: what they allocate is bounded by model.DecodeLimits and by the bytes there are.
package otlp

package grpcmw

import (
	"context"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
)

// LogFields returns trace_id and span_id of the span in ctx, and sampled if its tracer is jaeger-client-go's; without a
// span it returns nil. Pass it to logging.WithFieldsFromContext of go-grpc-middleware, whose interceptors must come
// after these.
func LogFields(ctx context.Context) logging.Fields {
	span := opentracing.SpanFromContext(ctx)
	if span == nil {
		return nil
	}
	sc := span.Context()
	id := carrier.TraceID(sc)
	if id == "" {
		return nil
	}
	fields := logging.Fields{"trace_id", id, "span_id", carrier.SpanID(sc)}
	if j, ok := sc.(jaeger.SpanContext); ok {
		fields = append(fields, "sampled", j.IsSampled())
	}
	return fields
}

package collector_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go/ext"
	client "github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/names"
	"github.com/spanloom/spanloom/tracerinit"
	"github.com/spanloom/spanloom/tracerinit/otlpgrpc"
)

// TestJaegerByName sends to a Jaeger v1 that is addressed as in a deployment. Its collector cannot read compressed
// thrift.
func TestJaegerByName(t *testing.T) {
	backend := jaeger.Start(t)
	host := func(u string) string { return strings.TrimPrefix(u, "http://") }
	names.Add("jaeger-collector:14268", host(backend.Collector))
	names.Add("jaeger-collector:4318", host(backend.OTLPHTTP))
	names.Add("jaeger-collector:4317", backend.OTLPGRPC)
	for road, e := range map[string]tracerinit.Exporter{
		"thrift http": tracerinit.JaegerHTTP("http://jaeger-collector:14268/api/traces"),
		"otlp http":   tracerinit.OTLPHTTP("http://jaeger-collector:4318"),
		"otlp grpc":   otlpgrpc.New("jaeger-collector:4317"),
	} {
		t.Run(road, func(t *testing.T) {
			tracer := start(t, e, tracerinit.Queue{}, slog.DiscardHandler)
			begun := time.Now()
			span := tracer.StartSpan("work", ext.SpanKindRPCServer)
			span.SetTag("n", 7)
			span.Finish()
			flush(t, tracer)
			got := backend.Trace(t, span.Context().(client.SpanContext).TraceID().String(), 1)[0]
			if got.OperationName != "work" || got.Tag("n") != "7" || got.Tag("span.kind") != `"server"` || got.Process.ServiceName != "shop" {
				t.Errorf("%+v", got)
			}
			if got.SpanID != fmt.Sprintf("%016x", uint64(span.Context().(client.SpanContext).SpanID())) || got.StartTime < begun.UnixMicro() {
				t.Errorf("%+v", got)
			}
			if s := tracer.Stats().Exporters[0]; s.Delivered != 1 || s.Failures != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

package jaeger_test

import (
	"testing"
	"time"

	"github.com/opentracing/opentracing-go/ext"
	client "github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
)

// TestJaegerTakesSpansOfItsOwnClient shows that the Jaeger used here works, by the client that was written for it.
func TestJaegerTakesSpansOfItsOwnClient(t *testing.T) {
	backend := jaeger.Start(t)
	udp, err := client.NewUDPTransport(backend.UDP, 0)
	if err != nil {
		t.Fatal(err)
	}
	roads := map[string]client.Transport{
		"udp":         udp,
		"thrift-http": transport.NewHTTPTransport(backend.Collector + "/api/traces?format=jaeger.thrift"),
	}
	for name, road := range roads {
		t.Run(name, func(t *testing.T) {
			tracer, closer := client.NewTracer("stock-"+name, client.NewConstSampler(true),
				client.NewRemoteReporter(road), client.TracerOptions.Gen128Bit(true))
			start := time.Now()
			span := tracer.StartSpan("work", ext.SpanKindRPCServer)
			span.SetTag("n", 7)
			span.Finish()
			closer.Close()

			id := span.Context().(client.SpanContext).TraceID().String()
			got := backend.Trace(t, id, 1)[0]
			if got.OperationName != "work" || got.Tag("n") != "7" || got.Tag("span.kind") != `"server"` {
				t.Errorf("got %+v", got)
			}
			if got.StartTime < start.UnixMicro() || got.StartTime > time.Now().UnixMicro() {
				t.Errorf("started at %d µs", got.StartTime)
			}
		})
	}
}

package e2e

import (
	"context"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/uber/jaeger-client-go"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

const callerHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// An RPC at a public endpoint that a filter leaves out has no span, and its caller is still a stranger to what the
// handler starts by the other API.
func TestStrangersOfFilteredRPCsAreNotJoined(t *testing.T) {
	for name, public := range map[string]bool{"public": true, "trusted": false} {
		t.Run(name, func(t *testing.T) {
			memory := jaeger.NewInMemoryReporter()
			tracer, err := tracerinit.Start(tracerinit.Config{Local: true, Reporters: []jaeger.Reporter{memory}})
			if err != nil {
				t.Fatal(err)
			}
			defer tracer.Close()
			b := otelbridge.New(tracer)
			interceptor := grpcmw.UnaryServerInterceptor(b.OpenTracing(),
				grpcmw.WithPublicEndpoint(func(context.Context, string) bool { return public }),
				grpcmw.WithFilter(selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return false })))
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", callerHeader))
			info := &grpc.UnaryServerInfo{FullMethod: "/shop.Orders/Place"}
			_, _ = interceptor(ctx, nil, info, func(ctx context.Context, _ any) (any, error) {
				ctx = b.Propagator().Extract(ctx, propagation.MapCarrier{"traceparent": callerHeader})
				_, span := b.TracerProvider().Tracer("inner").Start(ctx, "inner")
				span.End()
				return nil, nil
			})
			spans := memory.GetSpans()
			if len(spans) != 1 {
				t.Fatalf("%d spans", len(spans))
			}
			if isRoot := spans[0].(*jaeger.Span).SpanContext().ParentID() == 0; isRoot != public {
				t.Errorf("root: %t, want %t", isRoot, public)
			}
		})
	}
}

package grpcmw_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestClientMergesBaggage keeps the baggage that the application puts in the metadata, and the metadata itself.
func TestClientMergesBaggage(t *testing.T) {
	tracer, _, dial := engineDial(t)
	var md metadata.MD
	cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), nil, dial)
	span := tracer.StartSpan("root").SetBaggageItem("user", "me")
	defer span.Finish()
	own := metadata.Pairs("baggage", "routingKey=canary,user=old", "baggage", "b=2")
	before := own.Copy()
	ctx := metadata.NewOutgoingContext(opentracing.ContextWithSpan(t.Context(), span), own)
	if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"routingKey=canary,b=2,user=me"}, md["baggage"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, own); diff != "" {
		t.Errorf("the caller's metadata changed: %s", diff)
	}
}

// TestProxyDoesNotReopenTrust forwards the metadata that came in to the backend. At a public endpoint the caller's
// baggage stays behind, whether the new span is sampled or not.
func TestProxyDoesNotReopenTrust(t *testing.T) {
	for name, sampler := range map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()} {
		t.Run(name, func(t *testing.T) {
			tracer, _ := engine(t, sampler)
			var md metadata.MD
			backend := testsvc.Start(t, testsvc.Bufconn, sees(&md), nil, grpcmw.DialOptions(tracer))
			proxy := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
				forwarded, _ := metadata.FromIncomingContext(ctx)
				forwarded.Append("baggage", "own=1")
				return in, backend.Invoke(metadata.NewOutgoingContext(ctx, forwarded), testsvc.Say, in, new(testsvc.Msg))
			}}
			public := grpcmw.WithPublicEndpoint(func(context.Context, string) bool { return true })
			cc := testsvc.Start(t, testsvc.TCP, proxy, grpcmw.ServerOptions(tracer, public), nil)
			ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent[0], "baggage", "role=admin", "uberctx-role", "admin",
				"b3", "1-2-1")
			if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"own=1"}, md["baggage"]); diff != "" || md["uberctx-role"] != nil || md["b3"] != nil {
				t.Errorf("%s %v", diff, md)
			}
		})
	}
}

package grpcmw_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// propagating is our tracer with a configuration of its propagation.
func propagating(t *testing.T, c carrier.Config) opentracing.Tracer {
	t.Helper()
	tracer := startKit(t, tracerinit.Config{Propagation: c, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	return tracer
}

// TestBaggageFitsWhatServersAccept calls a server that accepts header lists of 8 KiB, as those of Java do, with as much
// baggage as there may be, in all styles and beside metadata of the caller's own.
func TestBaggageFitsWhatServersAccept(t *testing.T) {
	styles := []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage, carrier.PrefixBaggage}
	stockTracer, _ := jaeger.NewTracer("x", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	for name, tracer := range map[string]opentracing.Tracer{
		"default": ours(t), "all styles": propagating(t, carrier.Config{Baggage: carrier.Baggage{Styles: styles}}), "stock": stockTracer,
	} {
		for _, own := range []int{0, 1000, 6500, 9000} {
			for _, forwarded := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d own bytes/forwarded %v", name, own, forwarded), func(t *testing.T) {
					limit := 8192
					if own > limit {
						limit = 16384
					}
					var md metadata.MD
					cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), []grpc.ServerOption{grpc.MaxHeaderListSize(uint32(limit))}, grpcmw.DialOptions(tracer))
					ctx := withBaggage(t, tracer)
					if own > 0 {
						ctx = metadata.AppendToOutgoingContext(ctx, "own", strings.Repeat("x", own))
					}
					if forwarded {
						ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", traceparent[0], "baggage", "theirs=1")
					}
					if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.OK {
						t.Fatal(err)
					}
					if name != "stock" && (len(md["traceparent"]) != 1 || own <= 1000 && !forwarded && len(md["baggage"]) != 1) {
						t.Errorf("traceparent %q, baggage %.40q", md["traceparent"], md["baggage"])
					}
					if forwarded && !strings.Contains(strings.Join(md["baggage"], ","), "theirs=1") {
						t.Errorf("the caller's own baggage is lost: %.80q", md["baggage"])
					}
				})
			}
		}
	}
}

// withBaggage returns a context whose span has 64 items of 120 bytes.
func withBaggage(t *testing.T, tracer opentracing.Tracer) context.Context {
	t.Helper()
	span := tracer.StartSpan("root")
	t.Cleanup(span.Finish)
	for i := range 64 {
		span.SetBaggageItem(fmt.Sprintf("item-%02d", i), strings.Repeat("v", 111))
	}
	return opentracing.ContextWithSpan(t.Context(), span)
}

// TestBaggageThatFitsIsSent wants nothing dropped without need.
func TestBaggageThatFitsIsSent(t *testing.T) {
	tracer := ours(t)
	span := tracer.StartSpan("root")
	defer span.Finish()
	for i := range 40 {
		span.SetBaggageItem(fmt.Sprintf("item-%02d", i), strings.Repeat("v", 111))
	}
	md := outgoing(opentracing.ContextWithSpan(t.Context(), span), tracer)
	if n := strings.Count(strings.Join(md["baggage"], ","), "item-"); n != 40 {
		t.Errorf("%d items are sent, want 40", n)
	}
}

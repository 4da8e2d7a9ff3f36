package grpcmw_test

import (
	"context"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestSilencedMethodsReportNoSpans(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	var injected opentracing.TextMapCarrier
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		child, _ := opentracing.StartSpanFromContextWithTracer(ctx, tracer, "child")
		injected = opentracing.TextMapCarrier{}
		tracer.Inject(child.Context(), opentracing.TextMap, injected)
		child.Finish()
		return in, nil
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, grpcmw.ServerOptions(tracer, grpcmw.WithSilence(matching(true))), nil)
	for name, ctx := range map[string]context.Context{
		"no parent": t.Context(), "sampled parent": metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent[0]),
	} {
		t.Run(name, func(t *testing.T) {
			sayHello(ctx, &transcript{}, cc)
			if got := injected["traceparent"]; len(got) != 55 || got[53:] != "00" {
				t.Errorf("sampled below: %q", got)
			}
		})
	}
	if n := len(reporter.GetSpans()); n != 0 {
		t.Errorf("%d spans reported", n)
	}
}

// TestSilenceGoesBeforeTheFilter wants nothing sampled below RPCs that are also filtered out, or not traced anyway.
func TestSilenceGoesBeforeTheFilter(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	for _, method := range []string{testsvc.Say, "/grpc.health.v1.Health/Check"} {
		opts := []grpcmw.ServerOption{grpcmw.WithSilence(matching(true))}
		if method == testsvc.Say {
			opts = append(opts, grpcmw.WithFilter(matching(false)))
		}
		for _, ctx := range []context.Context{t.Context(), incomingWith("traceparent", traceparent)} {
			grpcmw.UnaryServerInterceptor(tracer, opts...)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method}, func(ctx context.Context, _ any) (any, error) {
				child, _ := opentracing.StartSpanFromContextWithTracer(ctx, tracer, "child")
				child.Finish()
				return nil, nil
			})
		}
	}
	if n := reporter.SpansSubmitted(); n != 0 {
		t.Errorf("%d spans below silence, want none", n)
	}
}

// TestDistrustWhenHooksPanic: a hook that panics allows nothing that it guards.
func TestDistrustWhenHooksPanic(t *testing.T) {
	tracer, _ := engine(t, tracerinit.Always())
	broken := func(context.Context, string) bool { panic("hook") }
	invoke := func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
		if md, _ := metadata.FromOutgoingContext(ctx); len(md) > 0 {
			t.Errorf("sent %v", md)
		}
		return nil
	}
	grpcmw.UnaryClientInterceptor(tracer, grpcmw.WithPropagation(broken))(t.Context(), testsvc.Say, nil, nil, nil, invoke)
	grpcmw.UnaryServerInterceptor(tracer, grpcmw.WithPublicEndpoint(broken))(incomingWith("traceparent", traceparent), nil, unaryInfo, func(ctx context.Context, _ any) (any, error) {
		if got := carrier.TraceID(opentracing.SpanFromContext(ctx).Context()); got == traceparent[0][3:35] {
			t.Error("joined the trace of a caller that may be anybody")
		}
		return nil, nil
	})
}

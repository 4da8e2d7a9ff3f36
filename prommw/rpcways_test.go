package prommw_test

import (
	"context"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestRPCsAreCountedOnce in however many interceptors of one or of two metrics, whether there is a span or not.
func TestRPCsAreCountedOnce(t *testing.T) {
	sampled, memory := start(t, tracerinit.Always(), false)
	disabled, _ := start(t, tracerinit.Always(), true)
	none := opentracing.NoopTracer{}
	for name, tracers := range map[string][]opentracing.Tracer{
		"sampled": {sampled, sampled, sampled, sampled}, "disabled": {disabled, disabled, disabled, disabled},
		"no tracer": {none, none, none, none}, "the outermost has no tracer": {sampled, sampled, sampled, none},
		"the innermost has a tracer": {sampled, none, none, none},
	} {
		t.Run(name, func(t *testing.T) {
			memory.Reset()
			a, b := prommw.New(prommw.Config{}), prommw.New(prommw.Config{})
			handler := grpc.UnaryHandler(func(context.Context, any) (any, error) { return nil, nil })
			invoker := grpc.UnaryInvoker(func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil })
			info := &grpc.UnaryServerInfo{FullMethod: "/shop.Shop/Buy"}
			for i, layer := range [][]*prommw.Metrics{{a}, {b}, {a, b}, {a}} {
				server, dial := []grpcmw.ServerOption{}, []grpcmw.ClientOption{}
				for _, m := range layer {
					server, dial = append(server, m.GRPCServer()), append(dial, m.GRPCClient())
					server, dial = append(server, m.GRPCServer()), append(dial, m.GRPCClient())
				}
				unary, call := grpcmw.UnaryServerInterceptor(tracers[i], server...), grpcmw.UnaryClientInterceptor(tracers[i], dial...)
				nextHandler, nextInvoker := handler, invoker
				handler = func(ctx context.Context, req any) (any, error) { return unary(ctx, req, info, nextHandler) }
				invoker = func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, opts ...grpc.CallOption) error {
					return call(ctx, method, req, reply, cc, nextInvoker, opts...)
				}
			}
			handler(context.Background(), nil)
			invoker(context.Background(), info.FullMethod, nil, nil, nil)
			for name, m := range map[string]*prommw.Metrics{"a": a, "b": b} {
				for _, side := range []string{"server", "client"} {
					if n := requests(gather(t, m, "rpc_"+side+"_call_duration_seconds")); n != 1 {
						t.Errorf("%s counts %d RPCs on the %s, want 1", name, n, side)
					}
					if left := gauges(t, m, "rpc_"+side+"_active_calls", "rpc_method"); len(left) > 0 {
						t.Errorf("%s: active on the %s afterwards: %v", name, side, left)
					}
				}
			}
			want := 0
			for _, tracer := range tracers {
				if tracer == sampled {
					want = 2
				}
			}
			if n := len(memory.GetSpans()); n != want {
				t.Errorf("%d spans, want %d", n, want)
			}
		})
	}
}

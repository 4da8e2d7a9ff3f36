package prommw_test

import (
	"context"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
)

// TestTheOverflowTellsErrorsApart, so that a rate of errors is right without any series of its own. A panic of the
// handler is an error and passes through.
func TestTheOverflowTellsErrorsApart(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: -1})
	unary := grpcmw.UnaryServerInterceptor(opentracing.NoopTracer{}, m.GRPCServer())
	info := &grpc.UnaryServerInfo{FullMethod: "/shop/Buy"}
	for range 3 {
		unary(context.Background(), nil, info, func(context.Context, any) (any, error) { return nil, nil })
	}
	func() {
		defer func() {
			if p := recover(); p != "oh" {
				t.Errorf("recovered %v", p)
			}
		}()
		unary(context.Background(), nil, info, func(context.Context, any) (any, error) { panic("oh") })
	}()
	got := make(map[string]uint64)
	for _, s := range gather(t, m, "rpc_server_call_duration_seconds") {
		got[label(s, "rpc_method")+" "+label(s, "error_type")] = s.Histogram.GetSampleCount()
	}
	if len(got) != 2 || got["_OTHER "] != 3 || got["_OTHER _OTHER"] != 1 {
		t.Errorf("got %v", got)
	}
	if n := gather(t, m, "rpc_server_active_calls")[0].Gauge.GetValue(); n != 0 {
		t.Errorf("%v RPCs in flight", n)
	}
}

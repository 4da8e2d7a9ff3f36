package prommw_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
)

// TestAMetricHas2000SeriesByDefault and one of the overflow for all that come later.
func TestAMetricHas2000SeriesByDefault(t *testing.T) {
	m := prommw.New(prommw.Config{})
	unary := grpcmw.UnaryServerInterceptor(opentracing.NoopTracer{}, m.GRPCServer())
	for i := range 2010 {
		unary(context.Background(), nil, &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop/Buy%d", i)},
			func(context.Context, any) (any, error) { return nil, nil })
	}
	for _, family := range []string{"rpc_server_call_duration_seconds", "rpc_server_active_calls"} {
		t.Run(family, func(t *testing.T) {
			series, over := gather(t, m, family), uint64(0)
			for _, s := range series {
				if label(s, "rpc_method") == "_OTHER" {
					over = s.Histogram.GetSampleCount()
				}
			}
			if len(series) != 2001 || family == "rpc_server_call_duration_seconds" && over != 10 {
				t.Errorf("%d series, %d calls in the overflow, want 2001 and 10", len(series), over)
			}
		})
	}
}

package prommw_test

import (
	"context"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

var everyRPC = selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return true })

// callHealth makes a good RPC, one of a missing service and a stream that the client cancels. When it returns, the
// server's handlers are done.
func callHealth(t *testing.T, server []grpc.ServerOption, dial []grpc.DialOption) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer(server...)
	grpc_health_v1.RegisterHealthServer(srv, health.NewServer())
	go srv.Serve(lis)
	defer srv.GracefulStop()
	dial = append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(lis.Addr().String(), dial...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	if _, err := client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{Service: "none"}); err == nil {
		t.Fatal("a missing service is healthy")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
}

// TestEveryRPCIsCountedOnce on each side, whether it is traced or not.
func TestEveryRPCIsCountedOnce(t *testing.T) {
	sampled, memory := start(t, tracerinit.Always(), false)
	unsampled, _ := start(t, tracerinit.Never(), false)
	disabled, _ := start(t, tracerinit.Always(), true)
	for name, tt := range map[string]struct {
		tracer *tracerinit.Tracer
		traced bool
		ids    int
	}{
		"sampled": {sampled, true, 3}, "unsampled": {unsampled, true, 0}, "disabled": {disabled, true, 0},
		"filtered": {sampled, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			memory.Reset()
			m := prommw.New(prommw.Config{})
			filter := grpcmw.WithFilter(selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool {
				return tt.traced
			}))
			callHealth(t, grpcmw.ServerOptions(tt.tracer, filter, m.GRPCServer()),
				grpcmw.DialOptions(tt.tracer, filter, m.GRPCClient()))
			for side, want := range map[string]map[string]uint64{
				"server": {"Check OK ": 1, "Check NOT_FOUND ": 1, "Watch CANCELLED ": 1},
				"client": {"Check OK ": 1, "Check NOT_FOUND NOT_FOUND": 1, "Watch CANCELLED ": 1},
			} {
				got, metrics := make(map[string]uint64), gather(t, m, "rpc_"+side+"_call_duration_seconds")
				for _, s := range metrics {
					method := label(s, "rpc_method")[len("grpc.health.v1.Health/"):]
					status, errorType := label(s, "rpc_response_status_code"), label(s, "error_type")
					got[method+" "+status+" "+errorType] += s.Histogram.GetSampleCount()
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, -want +got:\n%s", side, diff)
				}
				if ids := exemplars(metrics); len(ids) != tt.ids {
					t.Errorf("%s: exemplars %v, want %d", side, ids, tt.ids)
				}
				if n := gather(t, m, "rpc_"+side+"_active_calls")[0].Gauge.GetValue(); n != 0 {
					t.Errorf("%s: %v RPCs in flight", side, n)
				}
			}
		})
	}
}

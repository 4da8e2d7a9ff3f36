package prommw_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// stock answers each kind of RPC in the way that the test wants.
type stock struct {
	inventorypb.UnimplementedInventoryServer
	unary  func(ctx context.Context) error
	stream func(ss grpc.ServerStream) error
}

func (s *stock) GetStock(ctx context.Context, _ *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	return &inventorypb.Stock{}, s.unary(ctx)
}

func (s *stock) WatchStock(_ *inventorypb.WatchStockRequest, ss grpc.ServerStreamingServer[inventorypb.Stock]) error {
	return s.stream(ss)
}

func (s *stock) Reserve(ss grpc.ClientStreamingServer[inventorypb.Item, inventorypb.Reservation]) error {
	for {
		if _, err := ss.Recv(); errors.Is(err, io.EOF) {
			return ss.SendAndClose(&inventorypb.Reservation{})
		} else if err != nil {
			return err
		}
	}
}

func (s *stock) Negotiate(ss grpc.BidiStreamingServer[inventorypb.Offer, inventorypb.Offer]) error {
	return s.stream(ss)
}

// untilDone sends one message and waits for the end of the RPC.
func untilDone(ss grpc.ServerStream) error {
	if err := ss.SendMsg(&inventorypb.Stock{}); err != nil {
		return err
	}
	<-ss.Context().Done()
	return status.FromContextError(ss.Context().Err()).Err()
}

func fine(context.Context) error { return nil }

func watch(t *testing.T, ctx context.Context, c inventorypb.InventoryClient) grpc.ServerStreamingClient[inventorypb.Stock] {
	t.Helper()
	stream, err := c.WatchStock(ctx, &inventorypb.WatchStockRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// drain receives until the stream has ended.
func drain(stream interface{ RecvMsg(any) error }) {
	for stream.RecvMsg(new(inventorypb.Stock)) == nil {
	}
}

// TestWaysInWhichRPCsEnd on both sides, each once, by method, status and type of error.
func TestWaysInWhichRPCsEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		server         stock
		call           func(t *testing.T, conn *grpc.ClientConn, c inventorypb.InventoryClient)
		served, called string
	}{
		"unary": {
			stock{unary: fine},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) { c.GetStock(t.Context(), nil) },
			"GetStock OK ", "GetStock OK ",
		},
		"panic": {
			stock{unary: func(context.Context) error { panic("oh") }},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) { c.GetStock(t.Context(), nil) },
			"GetStock UNKNOWN panic", "GetStock UNKNOWN UNKNOWN",
		},
		"code that gRPC does not define": {
			stock{unary: func(context.Context) error { return status.Error(503, "") }},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) { c.GetStock(t.Context(), nil) },
			"GetStock UNKNOWN UNKNOWN", "GetStock UNKNOWN UNKNOWN",
		},
		"deadline": {
			stock{unary: func(ctx context.Context) error { <-ctx.Done(); return status.Error(codes.DeadlineExceeded, "") }},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				c.GetStock(ctx, nil)
			},
			"GetStock DEADLINE_EXCEEDED DEADLINE_EXCEEDED", "GetStock DEADLINE_EXCEEDED DEADLINE_EXCEEDED",
		},
		"client stream": {
			stock{},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) {
				stream, err := c.Reserve(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				stream.Send(&inventorypb.Item{})
				stream.CloseAndRecv()
			},
			"Reserve OK ", "Reserve OK ",
		},
		"bidi": {
			stock{stream: func(grpc.ServerStream) error { return status.Error(codes.NotFound, "") }},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) {
				stream, err := c.Negotiate(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				drain(stream)
			},
			"Negotiate NOT_FOUND ", "Negotiate NOT_FOUND NOT_FOUND",
		},
		"server stream canceled": {
			stock{stream: untilDone},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) {
				ctx, cancel := context.WithCancel(t.Context())
				stream := watch(t, ctx, c)
				stream.Recv()
				cancel()
				drain(stream)
			},
			"WatchStock CANCELLED ", "WatchStock CANCELLED ",
		},
		"server stream abandoned": {
			stock{stream: untilDone},
			func(t *testing.T, _ *grpc.ClientConn, c inventorypb.InventoryClient) {
				ctx, cancel := context.WithCancel(t.Context())
				watch(t, ctx, c).Recv()
				cancel()
			},
			"WatchStock CANCELLED ", "WatchStock CANCELLED ",
		},
		"connection closed": {
			stock{stream: untilDone},
			func(t *testing.T, conn *grpc.ClientConn, c inventorypb.InventoryClient) {
				stream := watch(t, t.Context(), c)
				stream.Recv()
				conn.Close()
				drain(stream)
			},
			"WatchStock CANCELLED ", "WatchStock CANCELLED ",
		},
		"unknown method": {
			stock{},
			func(t *testing.T, conn *grpc.ClientConn, _ inventorypb.InventoryClient) {
				conn.Invoke(t.Context(), "/made.Up/Name", &inventorypb.Stock{}, new(inventorypb.Stock))
			},
			"_OTHER UNIMPLEMENTED UNIMPLEMENTED", "made.Up/Name UNIMPLEMENTED UNIMPLEMENTED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, _ := start(t, tracerinit.Always(), false)
			m := prommw.New(prommw.Config{})
			serveStock(t, tracer, m, &tt.server, tt.call)
			for side, want := range map[string]string{"server": tt.served, "client": tt.called} {
				got := map[string]uint64{}
				for _, s := range gather(t, m, "rpc_"+side+"_call_duration_seconds") {
					method := label(s, "rpc_method")
					if len(method) > len(prefix) && method[:len(prefix)] == prefix {
						method = method[len(prefix):]
					}
					got[method+" "+label(s, "rpc_response_status_code")+" "+label(s, "error_type")] = s.Histogram.GetSampleCount()
				}
				if diff := cmp.Diff(map[string]uint64{want: 1}, got); diff != "" {
					t.Errorf("%s, -want +got:\n%s", side, diff)
				}
				if left := gauges(t, m, "rpc_"+side+"_active_calls", "rpc_method"); len(left) > 0 {
					t.Errorf("%s: active afterwards: %v", side, left)
				}
			}
		})
	}
}

const prefix = "inventory.v1.Inventory/"

// lastObserver is notified after the metrics, and is closed when the RPC has ended.
type lastObserver chan struct{}

func (lastObserver) Started(context.Context, grpcmw.Call) {}

func (o lastObserver) Ended(context.Context, grpcmw.Call, opentracing.Span, *grpcmw.Outcome) {
	close(o)
}

// serveStock makes one call of a server, and returns when it has ended on both sides.
func serveStock(
	t *testing.T, tracer *tracerinit.Tracer, m *prommw.Metrics, s *stock,
	call func(*testing.T, *grpc.ClientConn, inventorypb.InventoryClient),
) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// A panic ends the process without recovery, which is outside here, so that it is seen as one.
	unary := []grpc.UnaryServerInterceptor{recovery.UnaryServerInterceptor(), grpcmw.UnaryServerInterceptor(tracer, m.GRPCServer())}
	srv := grpc.NewServer(grpc.ChainUnaryInterceptor(unary...),
		grpc.ChainStreamInterceptor(grpcmw.StreamServerInterceptor(tracer, m.GRPCServer())),
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return status.Error(codes.Unimplemented, "") }))
	inventorypb.RegisterInventoryServer(srv, s)
	go srv.Serve(lis)
	defer srv.GracefulStop()
	ended := make(lastObserver)
	dial := append(grpcmw.DialOptions(tracer, m.GRPCClient(), grpcmw.WithObserver(ended)), grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(lis.Addr().String(), dial...)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	call(t, conn, inventorypb.NewInventoryClient(conn))
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the call does not end")
	}
}

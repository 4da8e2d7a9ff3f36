package traffic_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/grpcmw"
)

// awkward is a server that misbehaves in the way that the product id names.
type awkward struct {
	inventorypb.UnimplementedInventoryServer
	w        *world
	attempts atomic.Int64
}

func (a *awkward) GetStock(ctx context.Context, req *inventorypb.GetStockRequest) (*inventorypb.Stock, error) {
	switch id := req.GetProductId(); {
	case id == "flaky" && a.attempts.Add(1) < 3:
		return nil, status.Error(codes.Unavailable, "not yet")
	case id == "slow":
		_, limited := ctx.Deadline()
		<-ctx.Done()
		a.w.saw("server", "limited: %v", limited)
		return nil, ctx.Err()
	case id == "plain error":
		return nil, errors.New("no status")
	case strings.HasPrefix(id, "large"):
		return &inventorypb.Stock{ProductId: id}, nil
	}
	return &inventorypb.Stock{ProductId: req.GetProductId(), Available: int32(a.attempts.Load())}, nil
}

func (a *awkward) WatchStock(_ *inventorypb.WatchStockRequest, s grpc.ServerStreamingServer[inventorypb.Stock]) error {
	for {
		if err := s.Send(&inventorypb.Stock{Available: 1}); err != nil {
			return err
		}
		if err := s.Context().Err(); err != nil {
			return err
		}
	}
}

func (a *awkward) Reserve(s grpc.ClientStreamingServer[inventorypb.Item, inventorypb.Reservation]) error {
	if _, err := s.Recv(); err != nil {
		return err
	}
	return status.Error(codes.FailedPrecondition, "enough") // while the client still sends
}

// awkwardClient is of a server that has interceptors of the user's own around and inside the kit's.
func (w *world) awkwardClient(options ...grpc.DialOption) (*grpc.ClientConn, inventorypb.InventoryClient) {
	w.t.Helper()
	note := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		resp, err := next(ctx, req)
		w.saw("interceptor of "+info.FullMethod, "%v", status.Code(err))
		return resp, err
	}
	serverOptions := []grpc.ServerOption{grpc.ChainUnaryInterceptor(note)}
	if w.tracer != nil {
		serverOptions = append(serverOptions, grpcmw.ServerOptions(w.tracer)...)
		options = append(options, grpcmw.DialOptions(w.tracer)...)
	}
	server := grpc.NewServer(append(serverOptions, grpc.ChainUnaryInterceptor(note))...)
	inventorypb.RegisterInventoryServer(server, &awkward{w: w})
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	lis := w.listener()
	go server.Serve(lis)
	w.later(server.GracefulStop)
	conn, err := grpc.NewClient(lis.Addr().String(), append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.later(func() { conn.Close() })
	return conn, inventorypb.NewInventoryClient(conn)
}

const retries = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.01s",
	"maxBackoff": "0.05s", "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

func TestGRPC_on_a_bad_day(t *testing.T) {
	equal(t, func(w *world) {
		conn, client := w.awkwardClient(grpc.WithDefaultServiceConfig(retries), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<20)))
		ctx := context.Background()
		get := func(ctx context.Context, id string, options ...grpc.CallOption) {
			stock, err := client.GetStock(ctx, &inventorypb.GetStockRequest{ProductId: id}, options...)
			w.saw("client", "%.20s: %d bytes, after %d attempts, %s", id, len(stock.GetProductId()), stock.GetAvailable(), described(err))
		}
		get(ctx, "flaky")
		get(ctx, "plain error")
		get(ctx, "large"+strings.Repeat("x", 1<<19))
		get(ctx, "large"+strings.Repeat("x", 1<<20))
		get(ctx, "large"+strings.Repeat("x", 5<<20))
		get(ctx, "zipped", grpc.UseCompressor(gzip.Name))

		var from peer.Peer
		var finished atomic.Int64
		get(ctx, "options", grpc.Peer(&from), grpc.OnFinish(func(error) { finished.Add(1) }))
		w.saw("client", "peer %s, finished %d", withoutPorts(from.Addr.String()), finished.Load())

		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		_, err := client.GetStock(short, &inventorypb.GetStockRequest{ProductId: "slow"})
		w.saw("client", "slow: %v", status.Code(err)) // who notices first, and so the text, is a matter of luck
		gone, cancel := context.WithCancel(ctx)
		cancel()
		get(gone, "canceled before")

		w.saw("client", "%s", described(conn.Invoke(ctx, "/inventory.v1.Inventory/Nothing", &inventorypb.Item{}, &inventorypb.Item{})))
		w.saw("client", "%s", described(conn.Invoke(ctx, "/nobody.v1.Nobody/Nothing", &inventorypb.Item{}, &inventorypb.Item{})))
		w.saw("client", "%s", described(conn.Invoke(ctx, "no slash", &inventorypb.Item{}, &inventorypb.Item{})))
		answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
		w.saw("client", "%v %s", answer.GetStatus(), described(err))
	})
}

func TestStreamsCutShortEndAsBare(t *testing.T) {
	equal(t, func(w *world) {
		conn, client := w.awkwardClient()
		ctx, cancel := context.WithCancel(context.Background())
		watch, err := client.WatchStock(ctx, &inventorypb.WatchStockRequest{})
		if err != nil {
			w.t.Fatal(err)
		}
		_, err = watch.Recv()
		w.saw("client", "first: %s", described(err))
		cancel()
		for err == nil {
			_, err = watch.Recv()
		}
		w.saw("client", "after cancel: %s", described(err))

		reserve, err := client.Reserve(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		for err == nil {
			err = reserve.Send(&inventorypb.Item{})
		}
		w.saw("client", "send after the end: %v %v", err == io.EOF, err)
		_, err = reserve.CloseAndRecv()
		w.saw("client", "true end: %s", described(err))

		services, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		_ = services.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
		})
		list, err := services.Recv()
		w.saw("client", "%d services, %s", len(list.GetListServicesResponse().GetService()), described(err))
		w.saw("client", "close: %v", services.CloseSend())
		_, err = services.Recv()
		w.saw("client", "end: %v", err == io.EOF)

		abandoned, err := client.Negotiate(context.Background())
		w.saw("client", "negotiate: %s", described(err))
		w.saw("client", "close connection: %v", conn.Close())
		_, err = abandoned.Recv()
		switch status.Code(err) { // whichever comes first: the answer, or one of two ends of a connection that closes
		case codes.Unimplemented, codes.Canceled, codes.Unavailable:
			err = nil
		}
		w.saw("client", "after close: %v", err)
		_, err = client.GetStock(context.Background(), &inventorypb.GetStockRequest{})
		w.saw("client", "after close: %s", described(err))
	})
}

package inventory

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/examples/grpc/inventorypb"
	"github.com/spanloom/spanloom/spantest"
)

func TestServeEndsThoughAClientHoldsAStream(t *testing.T) {
	tracer := spantest.New(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		lis := bufconn.Listen(1 << 16)
		served := make(chan error, 1)
		go func() { served <- Serve(ctx, lis, tracer, slog.New(slog.DiscardHandler)) }()

		conn, err := grpc.NewClient("passthrough:inventory", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return lis.Dial() }))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		stream, err := inventorypb.NewInventoryClient(conn).Negotiate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&inventorypb.Offer{Cents: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}

		stopped := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(stopped); took != patience {
			t.Errorf("Serve ended %v after its context, want %v", took, patience)
		}
	})
}

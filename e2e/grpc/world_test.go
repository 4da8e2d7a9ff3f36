package grpc_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/spantest"
)

// dial serves gs in memory until the test ends, and returns a connection to it.
func dial(t *testing.T, gs *grpc.Server, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- gs.Serve(lis) }()
	cc, err := grpc.NewClient("passthrough:///bufconn", append(opts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
	)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cc.Close()
		gs.Stop()
		<-served
	})
	return cc
}

func newInteropServer(opts ...grpc.ServerOption) *grpc.Server {
	gs := grpc.NewServer(opts...)
	testgrpc.RegisterTestServiceServer(gs, interop.NewTestServer())
	return gs
}

// counter counts RPCs outside the kit's interceptors.
type counter struct{ n atomic.Int64 }

func (c *counter) unary(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	c.n.Add(1)
	return invoker(ctx, method, req, reply, cc, opts...)
}

func (c *counter) stream(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	c.n.Add(1)
	return streamer(ctx, desc, cc, method, opts...)
}

// sides returns the spans of clients and of servers.
func sides(t *testing.T, tracer *spantest.Tracer) (client, server []*mocktracer.MockSpan) {
	t.Helper()
	for _, s := range tracer.Finished() {
		switch kind := fmt.Sprint(s.Tag("span.kind")); kind {
		case "client":
			client = append(client, s)
		case "server":
			server = append(server, s)
		default:
			t.Errorf("span.kind %q", kind)
		}
	}
	return client, server
}

// suite is the part of gRPC's interop client that needs no credentials. Its functions end the process if they fail.
func suite(ctx context.Context, tc testgrpc.TestServiceClient) {
	interop.DoEmptyUnaryCall(ctx, tc)
	interop.DoLargeUnaryCall(ctx, tc)
	interop.DoClientStreaming(ctx, tc)
	interop.DoServerStreaming(ctx, tc)
	interop.DoPingPong(ctx, tc)
	interop.DoEmptyStream(ctx, tc)
	interop.DoTimeoutOnSleepingServer(ctx, tc)
	cancelAfterBegin(ctx, tc)
	interop.DoCancelAfterFirstResponse(ctx, tc)
	interop.DoCustomMetadata(ctx, tc)
	interop.DoStatusCodeAndMessage(ctx, tc)
	interop.DoSpecialStatusMessage(ctx, tc)
}

// cancelAfterBegin is interop.DoCancelAfterBegin, but for the end of the process if the answer comes all the same: a
// stream may choose between an answer and the end of its context.
func cancelAfterBegin(ctx context.Context, tc testgrpc.TestServiceClient) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if stream, err := tc.StreamingInputCall(ctx); err == nil {
		cancel()
		_, _ = stream.CloseAndRecv()
	}
}

package grpc_test

import (
	"context"
	"testing"
	"time"

	"github.com/fullstorydev/grpchan"
	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/siderolabs/grpc-proxy/proxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/spantest"
)

// TestGRPCsInteropSuitePassesTraced runs gRPC's own interop client against its own server, both traced.
func TestGRPCsInteropSuitePassesTraced(t *testing.T) {
	tracer := spantest.New(t)
	var calls counter
	opts := append([]grpc.DialOption{
		grpc.WithChainUnaryInterceptor(calls.unary), grpc.WithChainStreamInterceptor(calls.stream),
	}, grpcmw.DialOptions(tracer)...)
	cc := dial(t, newInteropServer(grpcmw.ServerOptions(tracer)...), opts...)
	suite(t.Context(), testgrpc.NewTestServiceClient(cc))
	interop.DoUnimplementedMethod(t.Context(), cc)
	interop.DoUnimplementedService(t.Context(), testgrpc.NewUnimplementedServiceClient(cc))
	client, server := sides(t, tracer)
	if n := int(calls.n.Load()); len(client) != n || n < 16 {
		t.Errorf("%d spans for %d RPCs", len(client), n)
	}
	codes := map[any]int{}
	for _, s := range client {
		codes[s.Tag("grpc.code")]++
	}
	for _, want := range []string{"DeadlineExceeded", "Canceled", "Unknown", "Unimplemented"} {
		if codes[want] == 0 {
			t.Errorf("no span has %s: %v", want, codes)
		}
	}
	ids := map[int]bool{}
	for _, s := range client {
		ids[s.SpanContext.SpanID] = true
	}
	for _, s := range server {
		if !ids[s.ParentID] {
			t.Errorf("%s: no client has made this RPC", s.OperationName)
		}
	}
}

// TestAProxyThatForwardsAllMetadataIsInTheTrace runs the suite through grpc-proxy, whose both ends are traced. The proxy forwards all metadata, the
// trace headers of its caller included.
func TestAProxyThatForwardsAllMetadataIsInTheTrace(t *testing.T) {
	callers, proxies, backends := spantest.New(t), spantest.New(t), spantest.New(t)
	backend := dial(t, newInteropServer(grpcmw.ServerOptions(backends)...), append(grpcmw.DialOptions(proxies),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(proxy.Codec())))...)
	director := func(context.Context, string) (proxy.Mode, []proxy.Backend, error) {
		one := &proxy.SingleBackend{GetConn: func(ctx context.Context) (context.Context, *grpc.ClientConn, error) {
			md, _ := metadata.FromIncomingContext(ctx)
			return metadata.NewOutgoingContext(ctx, md.Copy()), backend, nil
		}}
		return proxy.One2One, []proxy.Backend{one}, nil
	}
	front := grpc.NewServer(append(grpcmw.ServerOptions(proxies), grpc.ForceServerCodecV2(proxy.Codec()),
		grpc.UnknownServiceHandler(proxy.TransparentHandler(director)))...)
	cc := dial(t, front, grpcmw.DialOptions(callers)...)
	suite(t.Context(), testgrpc.NewTestServiceClient(cc))
	client, server := sides(t, proxies)
	// The suite cancels one call right after its start, which then may not reach the proxy.
	if calls := len(callers.Finished()); len(client) != len(server) || len(client) < calls-1 || len(client) > calls {
		t.Errorf("%d calls, %d in and %d out of the proxy", len(callers.Finished()), len(server), len(client))
	}
	parents := map[int]bool{}
	for _, s := range client {
		parents[s.SpanContext.SpanID] = true
		if s.OperationName != grpcmw.UnknownMethod {
			t.Errorf("a proxied method is named %q", s.OperationName)
		}
	}
	for _, s := range backends.Finished() {
		if !parents[s.ParentID] {
			t.Errorf("%s: its parent is not the proxy", s.OperationName)
		}
	}
}

// TestInProcessChannel runs the suite over a channel that is not gRPC's: no connection, no call options, no wire.
func TestInProcessChannel(t *testing.T) {
	tracer := spantest.New(t)
	served := make(chan struct{}, 100) // a server may begin after its client has cancelled
	unary, stream := grpcmw.UnaryServerInterceptor(tracer), grpcmw.StreamServerInterceptor(tracer)
	channel := (&inprocgrpc.Channel{}).WithServerUnaryInterceptor(func(
		ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
	) (any, error) {
		defer func() { served <- struct{}{} }()
		return unary(ctx, req, info, handler)
	}).WithServerStreamInterceptor(func(
		srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
	) error {
		defer func() { served <- struct{}{} }()
		return stream(srv, ss, info, handler)
	})
	testgrpc.RegisterTestServiceServer(channel, interop.NewTestServer())
	cc := grpchan.InterceptClientConn(channel, grpcmw.UnaryClientInterceptor(tracer), grpcmw.StreamClientInterceptor(tracer))
	suite(t.Context(), testgrpc.NewTestServiceClient(cc))
	calls, _ := sides(t, tracer)
	for range calls {
		select {
		case <-served:
		case <-time.After(2 * time.Minute):
			t.Fatal("fewer RPCs are served than made")
		}
	}
	client, server := sides(t, tracer)
	if len(client) != len(server) || len(client) < 14 {
		t.Errorf("%d spans on the client, %d on the server", len(client), len(server))
	}
	for _, s := range tracer.Finished() {
		if got := s.Tag("peer.address"); got != nil {
			t.Errorf("%s: an address where there is none: %v", s.OperationName, got)
		}
	}
}

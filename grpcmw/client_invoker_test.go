package grpcmw_test

import (
	"context"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// TestTheNameOfGRPCsInvokerIsKnown is the canary for new versions of gRPC: it says which name to put into client_invoker.go.
func TestTheNameOfGRPCsInvokerIsKnown(t *testing.T) {
	var name string
	look := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		name = runtime.FuncForPC(reflect.ValueOf(invoker).Pointer()).Name()
		return invoker(ctx, method, req, reply, cc, opts...)
	}
	cc := testsvc.Start(t, testsvc.TCP, nil, nil, []grpc.DialOption{grpc.WithChainUnaryInterceptor(look)})
	sayHello(t.Context(), &transcript{}, cc)
	if want := "google.golang.org/grpc.invoke"; name != want {
		t.Fatalf("gRPC %s renamed its invoker from %s to %s: peer.address and grpc.server_trace_id of unary RPCs are lost",
			grpc.Version, want, name)
	}
}

// TestPeerWithoutTheInvoker has an interceptor between ours and gRPC: a unary RPC then names its target, a stream still
// its peer.
func TestPeerWithoutTheInvoker(t *testing.T) {
	tracer := spantest.New(t)
	between := grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoker(ctx, method, req, reply, cc, opts...)
	})
	cc := testsvc.Start(t, testsvc.TCP, nil, nil, append(grpcmw.DialOptions(tracer), between, grpc.WithChainStreamInterceptor(wrapping)))
	all(t.Context(), &transcript{}, cc)
	target := strings.TrimPrefix(cc.Target(), "dns:///")
	for _, s := range tracer.Finished() {
		if got := s.Tag("peer.address"); got != target {
			t.Errorf("%s: peer.address %v, want %s", s.OperationName, got, target)
		}
	}
}

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
)

// grpcService traces its own work inside each RPC, and records which span OpenTelemetry finds there.
type grpcService struct {
	testpb.UnimplementedTestServiceServer
	tracing
	active func(method string, sc trace.SpanContext)
}

func (s *grpcService) work(ctx context.Context, method string) {
	s.active(method, trace.SpanContextFromContext(ctx))
	_, end := s.Span(ctx, "work of "+method)
	end()
}

func (s *grpcService) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	s.work(ctx, "unary")
	return &testpb.SimpleResponse{}, nil
}

func (s *grpcService) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	s.work(ctx, "failure")
	return nil, status.Error(codes.Unavailable, "no stock")
}

func (s *grpcService) FullDuplexCall(stream testpb.TestService_FullDuplexCallServer) error {
	s.work(stream.Context(), "stream")
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.Send(&testpb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// grpcSide is how one side of the RPCs is traced: by otelgrpc, by grpcmw, or by both.
type grpcSide struct{ otel, kit bool }

func (s grpcSide) String() string {
	switch s {
	case grpcSide{otel: true}:
		return "otelgrpc"
	case grpcSide{kit: true}:
		return "grpcmw"
	}
	return "both"
}

// callGRPC makes a unary call, one that fails, and a stream, between sides.
func callGRPC(t *testing.T, tr tracing, client, server grpcSide, active func(string, trace.SpanContext)) {
	t.Helper()
	otel := []otelgrpc.Option{otelgrpc.WithTracerProvider(tr), otelgrpc.WithPropagators(tr)}
	var serverOpts []grpc.ServerOption
	dialOpts := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if server.otel {
		serverOpts = append(serverOpts, grpc.StatsHandler(otelgrpc.NewServerHandler(otel...)))
	}
	if server.kit {
		serverOpts = append(serverOpts, grpcmw.ServerOptions(tr.OpenTracing)...)
	}
	if client.otel {
		dialOpts = append(dialOpts, grpc.WithStatsHandler(otelgrpc.NewClientHandler(otel...)))
	}
	if client.kit {
		dialOpts = append(dialOpts, grpcmw.DialOptions(tr.OpenTracing)...)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(serverOpts...)
	testpb.RegisterTestServiceServer(s, &grpcService{tracing: tr, active: active})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), dialOpts...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := tr.Span(t.Context(), "order")
	useGRPC(ctx, t, testpb.NewTestServiceClient(conn))
	end()
	conn.Close()
	s.GracefulStop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func useGRPC(ctx context.Context, t *testing.T, client testpb.TestServiceClient) {
	t.Helper()
	if _, err := client.UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := client.EmptyCall(ctx, &testpb.Empty{}); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := stream.Send(&testpb.StreamingOutputCallRequest{}); err != nil {
			t.Error(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Error(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// grpcTree is what callGRPC leaves behind: what is outside contains what is inside.
func grpcTree(client, server grpcSide) (text string) {
	text = "order (internal)\n"
	for _, c := range []struct{ method, work string }{
		{"UnaryCall", "unary"}, {"EmptyCall", "failure"}, {"FullDuplexCall", "stream"},
	} {
		indent := ""
		level := func(name, kind string) {
			indent += "  "
			text += fmt.Sprintf("%s%s (%s)\n", indent, name, kind)
		}
		ofOtel, ofKit := "grpc.testing.TestService/"+c.method, "/grpc.testing.TestService/"+c.method
		if client.kit {
			level(ofKit, "client")
		}
		if client.otel {
			level(ofOtel, "client")
		}
		if server.otel {
			level(ofOtel, "server")
		}
		if server.kit {
			level(ofKit, "server")
		}
		level("work of "+c.work, "internal")
	}
	return text
}

func TestOtelgrpcBothWaysRound(t *testing.T) {
	ignore := func(string, trace.SpanContext) {}
	otel := grpcSide{otel: true}
	var sdk *collector
	t.Run("as the SDK", func(t *testing.T) {
		compareWithSDK(t, func(t *testing.T, tr tracing) { callGRPC(t, tr, otel, otel, ignore) })
	})
	sdk = newCollector(t)
	tr, flush := sdk.tracingOfSDK(t)
	callGRPC(t, tr, otel, otel, ignore)
	flush()
	sides := []grpcSide{{otel: true}, {kit: true}, {otel: true, kit: true}}
	for _, client := range sides {
		for _, server := range sides {
			t.Run(fmt.Sprintf("client %v, server %v", client, server), func(t *testing.T) {
				c := newCollector(t)
				tr, flush := c.tracingOfBridge(t)
				var seen sync.Map
				callGRPC(t, tr, client, server, func(method string, sc trace.SpanContext) { seen.Store(method, sc) })
				flush()
				c.wantTree(t, grpcTree(client, server))
				if client.otel || server.otel {
					c.wantSpansOf(t, otelgrpc.ScopeName, sdk)
				}
				seen.Range(func(method, sc any) bool {
					c.wantParentOf(t, "work of "+method.(string), sc.(trace.SpanContext))
					return true
				})
			})
		}
	}
}

package bench

import (
	"context"
	"fmt"
	"net"
	"testing"

	ddgrpc "github.com/DataDog/dd-trace-go/contrib/google.golang.org/grpc/v2"
	"github.com/DataDog/dd-trace-go/v2/ddtrace/tracer"
	otgrpc "github.com/opentracing-contrib/go-grpc"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/grpcmw"
)

// rpcPeer is a way to trace gRPC. Peers without interceptors leave unary and unaryClient nil.
type rpcPeer struct {
	name  string
	start func(testing.TB, mode) *rpcSide
}

type rpcSide struct {
	unary       grpc.UnaryServerInterceptor
	unaryClient grpc.UnaryClientInterceptor
	server      []grpc.ServerOption
	dial        []grpc.DialOption
	stop        func()
	spans       *count
	tracer      opentracing.Tracer // of those that speak OpenTracing
}

// inside returns ctx within a span, as in a handler.
func (s *rpcSide) inside(ctx context.Context) context.Context {
	switch {
	case s.tracer != nil:
		return opentracing.ContextWithSpan(ctx, s.tracer.StartSpan("request"))
	case s.unary == nil || s.spans == nil:
		return ctx
	}
	_, ctx = tracer.StartSpanFromContext(ctx, "request")
	return ctx
}

const method = "/grpc.testing.TestService/UnaryCall"

var rpcPeers = []rpcPeer{
	{"bare", func(testing.TB, mode) *rpcSide {
		return &rpcSide{
			unary: func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
				return h(ctx, req)
			},
			unaryClient: func(ctx context.Context, m string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				return invoke(ctx, m, req, reply, cc, opts...)
			},
			stop: nothing,
		}
	}},
	{"floor", func(tb testing.TB, m mode) *rpcSide {
		t, c := stockTracer(tb, m.sampled)
		return &rpcSide{
			unary: floorUnary(t), unaryClient: floorUnaryClient(t), stop: nothing, spans: c, tracer: t,
			server: []grpc.ServerOption{grpc.UnaryInterceptor(floorUnary(t))}, dial: []grpc.DialOption{grpc.WithUnaryInterceptor(floorUnaryClient(t))},
		}
	}},
	{"spanloom", func(tb testing.TB, m mode) *rpcSide {
		t, c := spanloomTracer(tb, m.sampled)
		return &rpcSide{
			unary: grpcmw.UnaryServerInterceptor(t), unaryClient: grpcmw.UnaryClientInterceptor(t),
			server: grpcmw.ServerOptions(t), dial: grpcmw.DialOptions(t), stop: nothing, spans: c, tracer: t,
		}
	}},
	{"otgrpc", func(tb testing.TB, m mode) *rpcSide {
		t, c := stockTracer(tb, m.sampled)
		s := &rpcSide{unary: otgrpc.OpenTracingServerInterceptor(t), unaryClient: otgrpc.OpenTracingClientInterceptor(t), stop: nothing, spans: c, tracer: t}
		s.server = []grpc.ServerOption{grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(otgrpc.OpenTracingStreamServerInterceptor(t))}
		s.dial = []grpc.DialOption{grpc.WithUnaryInterceptor(s.unaryClient), grpc.WithStreamInterceptor(otgrpc.OpenTracingStreamClientInterceptor(t))}
		return s
	}},
	{"otelgrpc", func(tb testing.TB, m mode) *rpcSide {
		tp, c := otelProvider(tb, m.sampled)
		opts := []otelgrpc.Option{otelgrpc.WithTracerProvider(tp), otelgrpc.WithPropagators(otelPropagator())}
		return &rpcSide{
			server: []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(opts...))},
			dial:   []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(opts...))},
			stop:   nothing, spans: c,
		}
	}},
	{"dd-trace-go", func(tb testing.TB, m mode) *rpcSide {
		c, stop := startDatadog(tb, m.sampled)
		s := &rpcSide{unary: ddgrpc.UnaryServerInterceptor(), unaryClient: ddgrpc.UnaryClientInterceptor(), stop: stop, spans: c}
		s.server = []grpc.ServerOption{grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(ddgrpc.StreamServerInterceptor(ddgrpc.WithStreamMessages(false)))}
		s.dial = []grpc.DialOption{grpc.WithUnaryInterceptor(s.unaryClient), grpc.WithStreamInterceptor(ddgrpc.StreamClientInterceptor(ddgrpc.WithStreamMessages(false)))}
		return s
	}},
}

func floorUnary(t opentracing.Tracer) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
		span := t.StartSpan(info.FullMethod, ext.SpanKindRPCServer)
		span.SetTag("component", "grpc")
		span.SetTag("rpc.system", "grpc")
		span.SetTag("rpc.service", "grpc.testing.TestService")
		span.SetTag("rpc.method", "UnaryCall")
		span.SetTag("grpc.type", "unary")
		resp, err := h(ctx, req)
		span.SetTag("rpc.grpc.status_code", 0)
		span.Finish()
		return resp, err
	}
}

// floorUnaryClient is the floor of clients, which must inject, too.
func floorUnaryClient(t opentracing.Tracer) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, m string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		start := []opentracing.StartSpanOption{ext.SpanKindRPCClient}
		if parent := opentracing.SpanFromContext(ctx); parent != nil {
			start = append(start, opentracing.ChildOf(parent.Context()))
		}
		span := t.StartSpan(m, start...)
		span.SetTag("component", "grpc")
		span.SetTag("rpc.system", "grpc")
		span.SetTag("rpc.service", "grpc.testing.TestService")
		span.SetTag("rpc.method", "UnaryCall")
		span.SetTag("grpc.type", "unary")
		headers := opentracing.TextMapCarrier{}
		_ = t.Inject(span.Context(), opentracing.TextMap, headers)
		for k, v := range headers {
			ctx = metadata.AppendToOutgoingContext(ctx, k, v)
		}
		err := invoke(opentracing.ContextWithSpan(ctx, span), m, req, reply, cc, opts...)
		span.SetTag("rpc.grpc.status_code", 0)
		span.SetTag("peer.address", cc.Target())
		span.Finish()
		return err
	}
}

// parentFormats are the remote parents that OpenTracing's servers are measured with.
var parentFormats = []struct {
	name    string
	headers func(mode) map[string]string
	peers   []string
}{
	{"root", func(mode) map[string]string { return nil }, []string{"bare", "floor", "spanloom", "otgrpc", "dd-trace-go"}},
	{"w3c-parent", w3cHeaders, []string{"bare", "spanloom", "dd-trace-go"}},
	{"jaeger-parent", jaegerHeaders, []string{"bare", "spanloom", "otgrpc"}},
}

// incoming has 8 keys of metadata, those of a remote parent among them.
func incoming(parent map[string]string) context.Context {
	md := metadata.MD{}
	for k, v := range parent {
		md.Set(k, v)
	}
	for i := 0; len(md) < 8; i++ {
		md.Set(fmt.Sprintf("x-key-%d", i), "value")
	}
	return metadata.NewIncomingContext(context.Background(), md)
}

func BenchmarkGRPCUnaryServer(b *testing.B) {
	for _, f := range parentFormats {
		for _, peer := range rpcPeers {
			if !contains(f.peers, peer.name) {
				continue
			}
			b.Run(f.name+"/"+peer.name, func(b *testing.B) {
				m := mode{sampled: true, parent: true}
				side := peer.start(b, m)
				defer side.stop()
				ctx, info := incoming(f.headers(m)), &grpc.UnaryServerInfo{FullMethod: method}
				handler := func(context.Context, any) (any, error) { return nil, nil }
				measure(b, func() { _, _ = side.unary(ctx, nil, info, handler) })
			})
		}
	}
}

// BenchmarkGRPCUnaryClient calls from within a traced request, as services do ("child"), also with three keys of
// metadata of the caller's own, and from outside of one.
func BenchmarkGRPCUnaryClient(b *testing.B) {
	for _, c := range []struct {
		name  string
		m     mode
		child bool
		keys  []string
	}{
		{"child", modes[1], true, nil},
		{"child-with-metadata", modes[1], true, []string{"x-a", "1", "x-b", "2", "x-c", "3"}},
		{"root", modes[1], false, nil},
		{"unsampled-child", modes[0], true, nil},
	} {
		for _, peer := range rpcPeers {
			b.Run(c.name+"/"+peer.name, func(b *testing.B) {
				side := peer.start(b, c.m)
				defer side.stop()
				if side.unaryClient == nil {
					b.Skip("no client interceptor")
				}
				cc, err := grpc.NewClient("passthrough:///bench", grpc.WithTransportCredentials(insecure.NewCredentials()))
				if err != nil {
					b.Fatal(err)
				}
				defer cc.Close()
				ctx := context.Background()
				if c.keys != nil {
					ctx = metadata.AppendToOutgoingContext(ctx, c.keys...)
				}
				if c.child {
					ctx = side.inside(ctx)
				}
				invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
				measure(b, func() { _ = side.unaryClient(ctx, method, nil, nil, cc, invoke) })
			})
		}
	}
}

// testService answers one message for each that it gets.
type testService struct {
	grpc_testing.UnimplementedTestServiceServer
	last metadata.MD
}

func (s *testService) UnaryCall(ctx context.Context, _ *grpc_testing.SimpleRequest) (*grpc_testing.SimpleResponse, error) {
	s.last, _ = metadata.FromIncomingContext(ctx)
	return &grpc_testing.SimpleResponse{}, nil
}

func (s *testService) FullDuplexCall(stream grpc_testing.TestService_FullDuplexCallServer) error {
	s.last, _ = metadata.FromIncomingContext(stream.Context())
	for {
		if _, err := stream.Recv(); err != nil {
			return nil
		}
		if err := stream.Send(&grpc_testing.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
}

// connect serves side over an in-memory connection.
func connect(tb testing.TB, side *rpcSide) (grpc_testing.TestServiceClient, *testService) {
	tb.Helper()
	lis := bufconn.Listen(1 << 20)
	svc := &testService{}
	server := grpc.NewServer(side.server...)
	grpc_testing.RegisterTestServiceServer(server, svc)
	go func() { _ = server.Serve(lis) }()
	cc, err := grpc.NewClient("passthrough:///bench", append(side.dial,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		cc.Close()
		server.Stop()
	})
	return grpc_testing.NewTestServiceClient(cc), svc
}

func unary(tb testing.TB, client grpc_testing.TestServiceClient) {
	if _, err := client.UnaryCall(context.Background(), &grpc_testing.SimpleRequest{}); err != nil {
		tb.Fatal(err)
	}
}

func bidi(tb testing.TB, client grpc_testing.TestServiceClient, messages int) {
	stream, err := client.FullDuplexCall(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	for range messages {
		if err := stream.Send(&grpc_testing.StreamingOutputCallRequest{}); err != nil {
			tb.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			tb.Fatal(err)
		}
	}
	_ = stream.CloseSend()
	_, _ = stream.Recv()
}

func BenchmarkGRPCUnaryBothEnds(b *testing.B) {
	for _, peer := range rpcPeers {
		b.Run("sampled/"+peer.name, func(b *testing.B) {
			side := peer.start(b, modes[1])
			defer side.stop()
			client, _ := connect(b, side)
			measure(b, func() { unary(b, client) })
		})
	}
}

func BenchmarkGRPCBidi100(b *testing.B) {
	for _, peer := range rpcPeers {
		if peer.name == "floor" {
			continue
		}
		b.Run("sampled/"+peer.name, func(b *testing.B) {
			side := peer.start(b, modes[1])
			defer side.stop()
			client, _ := connect(b, side)
			measure(b, func() { bidi(b, client, 100) })
		})
	}
}

func TestGRPCPeersMakeSpansAndHeaders(t *testing.T) {
	for name, call := range map[string]func(testing.TB, grpc_testing.TestServiceClient){
		"unary": unary,
		"bidi":  func(tb testing.TB, c grpc_testing.TestServiceClient) { bidi(tb, c, 10) },
	} {
		for _, peer := range rpcPeers {
			if peer.name == "floor" {
				continue
			}
			t.Run(name+"/"+peer.name, func(t *testing.T) {
				side := peer.start(t, modes[1])
				client, svc := connect(t, side)
				call(t, client)
				call(t, client)
				eventually(t, func() bool { return side.spans == nil || peer.name == "dd-trace-go" || side.spans.spans.Load() == 4 })
				side.stop()
				if peer.name == "bare" {
					return
				}
				if n := side.spans.spans.Load(); n < 2 {
					t.Errorf("%d spans, want 4 (or 2 traces)", n)
				}
				if !hasTraceHeader(svc.last) {
					t.Errorf("no trace header in %v", svc.last)
				}
			})
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

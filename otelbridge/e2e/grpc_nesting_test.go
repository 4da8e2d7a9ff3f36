package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/otelbridge"
	"github.com/spanloom/spanloom/tracerinit"
)

// nester starts spans below each other, by the API of each of its kinds.
type nester struct {
	bridge *otelbridge.Bridge
	below  opentracing.Tracer
	kinds  []string
}

func (n *nester) nest(ctx context.Context, prefix string, inside func(ctx context.Context)) {
	for i, kind := range n.kinds {
		name := fmt.Sprint(prefix, " ", i)
		switch kind {
		case "otel":
			c, s := n.bridge.TracerProvider().Tracer("lib").Start(ctx, name)
			defer s.End()
			ctx = c
		case "hooked":
			s, c := opentracing.StartSpanFromContextWithTracer(ctx, n.bridge.OpenTracing(), name)
			defer s.Finish()
			ctx = c
		default:
			s, c := opentracing.StartSpanFromContextWithTracer(ctx, n.below, name)
			defer s.Finish()
			ctx = c
		}
	}
	inside(ctx)
}

// nestingService nests spans in a unary call, calls a stream from within, and nests spans in that, too.
type nestingService struct {
	testpb.UnimplementedTestServiceServer
	*nester
	client testpb.TestServiceClient
}

func (s *nestingService) UnaryCall(ctx context.Context, _ *testpb.SimpleRequest) (_ *testpb.SimpleResponse, err error) {
	s.nest(ctx, "unary", func(ctx context.Context) {
		err = receiveAll(s.client.StreamingOutputCall(ctx, &testpb.StreamingOutputCallRequest{}))
	})
	return &testpb.SimpleResponse{}, err
}

func (s *nestingService) StreamingOutputCall(
	_ *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer,
) (err error) {
	s.nest(stream.Context(), "stream", func(context.Context) { err = stream.Send(&testpb.StreamingOutputCallResponse{}) })
	return err
}

func receiveAll(stream testpb.TestService_StreamingOutputCallClient, err error) error {
	if err != nil {
		return err
	}
	n := 0
	for ; err == nil; n++ {
		_, err = stream.Recv()
	}
	if n != 2 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("%d messages, then %w", n-1, err)
	}
	return nil
}

// TestNestingInGRPC starts spans below each other in all orders of three APIs, in a unary call and in a stream that is
// called from there, so that all of them are one chain.
func TestNestingInGRPC(t *testing.T) {
	kinds := []string{"otel", "hooked", "plain"}
	for i := range len(kinds) * len(kinds) * len(kinds) {
		order := []string{kinds[i%3], kinds[i/3%3], kinds[i/9]}
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			t.Parallel()
			testNestingInGRPC(t, order)
		})
	}
}

func testNestingInGRPC(t *testing.T, order []string) {
	memory := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{Service: "shop", Local: true, Reporters: []jaeger.Reporter{memory}})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	b := otelbridge.New(tracer)
	l := bufconn.Listen(1 << 16)
	conn, err := grpc.NewClient("passthrough:shop", append(grpcmw.DialOptions(b.OpenTracing()),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpcmw.ServerOptions(b.OpenTracing())...)
	service := &nestingService{nester: &nester{b, tracer, order}, client: testpb.NewTestServiceClient(conn)}
	testpb.RegisterTestServiceServer(s, service)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	service.nest(t.Context(), "order", func(ctx context.Context) {
		if _, err := service.client.UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
			t.Error(err)
		}
	})
	conn.Close()
	s.GracefulStop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	const unary, stream = "/grpc.testing.TestService/UnaryCall", "/grpc.testing.TestService/StreamingOutputCall"
	wantChain(t, memory.GetSpans(), "order 0", "order 1", "order 2", unary, unary, "unary 0", "unary 1", "unary 2",
		stream, stream, "stream 0", "stream 1", "stream 2")
}

// wantChain checks that the spans are each the parent of the next.
func wantChain(t *testing.T, spans []opentracing.Span, names ...string) {
	t.Helper()
	childOf := map[jaeger.SpanID]*jaeger.Span{}
	for _, s := range spans {
		j := s.(*jaeger.Span)
		parent := j.SpanContext().ParentID()
		if other := childOf[parent]; other != nil {
			t.Errorf("%s and %s have the same parent", other.OperationName(), j.OperationName())
		}
		childOf[parent] = j
	}
	var got []string
	for s := childOf[0]; s != nil; s = childOf[s.SpanContext().SpanID()] {
		got = append(got, s.OperationName())
	}
	if strings.Join(got, ", ") != strings.Join(names, ", ") || len(spans) != len(names) {
		t.Errorf("%d spans, a chain of\n%q, want\n%q", len(spans), got, names)
	}
}

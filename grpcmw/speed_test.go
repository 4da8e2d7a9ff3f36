package grpcmw_test

import (
	"context"
	"io"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/tracerinit"
)

// silentTracer is our tracer with a reporter that keeps nothing.
func silentTracer(t testing.TB, sampled bool) opentracing.Tracer {
	sampler := tracerinit.Never()
	if sampled {
		sampler = tracerinit.Always()
	}
	return reportTo(t, sampler, jaeger.NewNullReporter())
}

// work is what one RPC does inside an interceptor, without a network.
type work struct {
	name    string
	sampled bool
	ceiling float64 // allocations
	run     func(tracer opentracing.Tracer) func()
}

var (
	request = metadata.MD{
		":authority": {"localhost"}, "content-type": {"application/grpc"}, "user-agent": {"grpc-go/1.85.0"}, "grpc-accept-encoding": {"gzip"},
		"x-request-id": {"af7651916cd43dd8"}, "x-tenant": {"blue"}, "accept-language": {"en"}, "x-client": {"web"},
	}
	traceparent  = []string{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	uberTraceID  = []string{"0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"}
	unaryInfo    = &grpc.UnaryServerInfo{FullMethod: testsvc.Say}
	unaryHandler = func(ctx context.Context, req any) (any, error) { return req, nil }
	chatInfo     = &grpc.StreamServerInfo{FullMethod: testsvc.Chat, IsClientStream: true, IsServerStream: true}
)

func incomingWith(key string, values []string) context.Context {
	md := request.Copy()
	if key != "" {
		delete(md, "x-client")
		md[key] = values
	}
	return metadata.NewIncomingContext(context.Background(), md)
}

func unaryServer(ctx context.Context) func(opentracing.Tracer) func() {
	return func(tracer opentracing.Tracer) func() {
		intercept := grpcmw.UnaryServerInterceptor(tracer)
		return func() { intercept(ctx, nil, unaryInfo, unaryHandler) }
	}
}

// unaryClient is a call of a root, or under a span, with metadata of its own.
func unaryClient(root bool, kv ...string) func(opentracing.Tracer) func() {
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	return func(tracer opentracing.Tracer) func() {
		intercept := grpcmw.UnaryClientInterceptor(tracer)
		ctx := context.Background()
		if !root {
			parent := tracer.StartSpan("parent")
			ctx = opentracing.ContextWithSpan(ctx, parent)
			parent.Finish() // calls below it cost the same
		}
		if kv != nil {
			ctx = metadata.AppendToOutgoingContext(ctx, kv...)
		}
		return func() { intercept(ctx, testsvc.Say, nil, nil, nil, invoke) }
	}
}

// pingPong is the two ends of a stream of so many messages, which costs nothing itself.
type pingPong struct {
	grpc.ServerStream
	ctx  context.Context
	left int
}

func (p *pingPong) Context() context.Context { return p.ctx }
func (p *pingPong) SendMsg(any) error        { return nil }
func (p *pingPong) RecvMsg(any) error {
	if p.left--; p.left < 0 {
		return io.EOF
	}
	return nil
}

type pingPongClient struct {
	grpc.ClientStream
	left int
}

func (p *pingPongClient) SendMsg(any) error { return nil }
func (p *pingPongClient) RecvMsg(any) error {
	if p.left--; p.left < 0 {
		return io.EOF
	}
	return nil
}

func exchange(s interface {
	SendMsg(any) error
	RecvMsg(any) error
}) error {
	for {
		if err := s.RecvMsg(nil); err != nil {
			return nil
		}
		s.SendMsg(nil)
	}
}

// bidiStreams is both ends of a stream of 100 messages.
func bidiStreams(tracer opentracing.Tracer) func() {
	client, server := grpcmw.StreamClientInterceptor(tracer), grpcmw.StreamServerInterceptor(tracer)
	in := incomingWith("traceparent", traceparent)
	ctx := context.Background()
	desc := testsvc.StreamDesc(testsvc.Chat)
	under, above := &pingPongClient{}, &pingPong{ctx: in}
	streamer := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return under, nil
	}
	handler := func(_ any, ss grpc.ServerStream) error { return exchange(ss) }
	return func() {
		under.left, above.left = 100, 100
		cs, _ := client(ctx, desc, nil, testsvc.Chat, streamer)
		server(desc, above, chatInfo, handler)
		exchange(cs)
	}
}

var budgets = []work{
	{"unary server, root", true, 3, unaryServer(incomingWith("", nil))},
	{"unary server, W3C parent", true, 4, unaryServer(incomingWith("traceparent", traceparent))},
	{"unary server, Jaeger parent", true, 4, unaryServer(incomingWith("uber-trace-id", uberTraceID))},
	{"unary server, unsampled", false, 3, unaryServer(incomingWith("", nil))},
	{"unary client", true, 7, unaryClient(false)},
	{"unary client, root", true, 8, unaryClient(true)},
	{"unary client, unsampled", false, 7, unaryClient(false)},
	{"unary client, metadata", true, 8, unaryClient(false, "authorization", "x")},
	{"bidi, 100 messages, both ends", true, 24, bidiStreams},
}

func TestRPCsKeepTheirCeilingsOfAllocs(t *testing.T) {
	for _, w := range budgets {
		t.Run(w.name, func(t *testing.T) {
			if got := testing.AllocsPerRun(200, w.run(silentTracer(t, w.sampled))); got > w.ceiling {
				t.Errorf("%v allocations, want at most %v", got, w.ceiling)
			} else {
				t.Logf("%v allocations", got)
			}
			if got := testing.AllocsPerRun(200, w.run(opentracing.NoopTracer{})); got > 0 {
				t.Errorf("%v allocations with a no-op tracer, want 0", got)
			}
		})
	}
}

func BenchmarkInterceptors(b *testing.B) {
	for _, w := range budgets {
		for name, tracer := range map[string]opentracing.Tracer{"base": opentracing.NoopTracer{}, "traced": silentTracer(b, w.sampled)} {
			b.Run(w.name+"/"+name, func(b *testing.B) {
				run := w.run(tracer)
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
			})
		}
	}
}

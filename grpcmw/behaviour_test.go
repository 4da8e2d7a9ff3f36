package grpcmw_test

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

func matching(yes bool) selector.Matcher {
	return selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return yes })
}

func TestHealthAndReflectionAreNotTraced(t *testing.T) {
	const (
		v1      = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
		v1alpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
	)
	probe := func(opts ...grpcmw.Option) (names []string) {
		tracer := spantest.New(t)
		var server []grpcmw.ServerOption
		var client []grpcmw.ClientOption
		for _, o := range opts {
			server, client = append(server, o), append(client, o)
		}
		gs := grpc.NewServer(grpcmw.ServerOptions(tracer, server...)...)
		healthpb.RegisterHealthServer(gs, health.NewServer())
		reflection.Register(gs)
		cc := testsvc.Serve(t, testsvc.Bufconn, gs, grpcmw.DialOptions(tracer, client...))
		if _, err := healthpb.NewHealthClient(cc).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{v1, v1alpha} {
			cs := open(t, t.Context(), cc, m)
			cs.CloseSend()
			receiveAll(cs)
		}
		for _, s := range tracer.Finished() {
			names = append(names, s.OperationName)
		}
		return names
	}
	if got := probe(); len(got) != 0 {
		t.Errorf("traced by default: %q", got)
	}
	if got := probe(grpcmw.WithFilter(matching(true))); len(got) != 6 {
		t.Errorf("traced on demand: %q", got)
	}
}

func TestFilterSeesTheCall(t *testing.T) {
	var seen []interceptors.CallMeta
	filter := grpcmw.WithFilter(selector.MatchFunc(func(_ context.Context, m interceptors.CallMeta) bool {
		seen = append(seen, m)
		return m.Method != "Chat"
	}))
	tracer := spantest.New(t)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer, filter, grpcmw.WithFilter(nil)))
	all(t.Context(), &transcript{}, cc)
	if len(tracer.Finished()) != 3 || len(seen) != 4 {
		t.Fatalf("%d spans of %d", len(tracer.Finished()), len(seen))
	}
	for i, m := range seen {
		want := []interceptors.GRPCType{interceptors.Unary, interceptors.ClientStream, interceptors.ServerStream, interceptors.BidiStream}[i]
		if m.Typ != want || m.Service != testsvc.Service || !m.IsClient || (m.ReqOrNil != nil) != (i == 0) {
			t.Errorf("asked with %+v", m)
		}
	}
}

func TestNilsAreIgnored(t *testing.T) {
	callOnce(t, nil, []grpcmw.ServerOption{nil, grpcmw.WithFilter(nil), grpcmw.WithOperationName(nil), grpcmw.WithErrorPolicy(nil), grpcmw.WithOutcome(nil),
		grpcmw.WithPublicEndpoint(nil), grpcmw.WithSilence(nil), grpcmw.WithTraceIDTrailer("")},
		[]grpcmw.ClientOption{nil, grpcmw.WithPropagation(nil), grpcmw.WithPeerService(nil), grpcmw.WithTags(), grpcmw.WithMetadataTags()})
}

func TestOutcomeHooksSeeTheSpanAndTheStatus(t *testing.T) {
	var got []grpcmw.Outcome
	var mu sync.Mutex
	hook := grpcmw.WithOutcome(func(ctx context.Context, span opentracing.Span, o *grpcmw.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, *o)
		if opentracing.SpanFromContext(ctx) != span {
			t.Error("the context has another span")
		}
		o.IsError = !o.IsError
	})
	s, c := both(t, testsvc.Bufconn, nil, []grpcmw.ServerOption{hook}, []grpcmw.ClientOption{hook}, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.stream(ctx, cc, testsvc.Repeat, "abc")
	})
	if s.Tag("error") != true || c.Tag("error") != true {
		t.Error("the hook's word does not count")
	}
	for _, o := range got {
		if o.Method != testsvc.Repeat || o.Code != codes.OK || o.Err != nil || o.Duration <= 0 || o.Sent+o.Received != 4 || o.Panic != nil {
			t.Errorf("outcome %+v", o)
		}
	}
	if s, c := callOnce(t, errDetailed, []grpcmw.ServerOption{hook}, []grpcmw.ClientOption{hook}); s.Tag("error") != true || c.Tag("error") != nil {
		t.Errorf("server %v, client %v", s.Tags(), c.Tags())
	}
	if last := got[len(got)-1]; last.Err != errDetailed || last.Code != codes.NotFound {
		t.Errorf("outcome %+v", last)
	}
}

// TestHooksOfUnsampledCalls wants hooks to be called whatever the sampler said, since they may count.
func TestHooksOfUnsampledCalls(t *testing.T) {
	tracer, _ := engine(t, tracerinit.Never())
	calls := 0
	hook := grpcmw.WithOutcome(func(context.Context, opentracing.Span, *grpcmw.Outcome) { calls++ })
	grpcmw.UnaryServerInterceptor(tracer, hook)(t.Context(), nil, unaryInfo, unaryHandler)
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestInterceptorsInstalledTwiceTraceOnce(t *testing.T) {
	tracer := spantest.New(t)
	server := append(grpcmw.ServerOptions(tracer), grpcmw.ServerOptions(tracer)...)
	dial := append(grpcmw.DialOptions(tracer), grpcmw.DialOptions(tracer)...)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, server, dial)
	all(t.Context(), &transcript{}, cc)
	if n := len(tracer.Finished()); n != 8 {
		t.Errorf("%d spans for 4 RPCs, want 8", n)
	}
}

// TestCallsWithinCalls makes another call from an interceptor, as those that fetch tokens do, and from a handler and
// with a stream's context, to the same method.
func TestCallsWithinCalls(t *testing.T) {
	tracer := spantest.New(t)
	fetch := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if method == testsvc.Say {
			if err := cc.Invoke(ctx, "/auth.Auth/Token", testsvc.Text("t"), new(testsvc.Msg), opts...); err == nil {
				t.Error("there is no such method")
			}
		}
		return invoker(ctx, method, req, reply, cc, opts...)
	}
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, append(grpcmw.DialOptions(tracer), grpc.WithChainUnaryInterceptor(fetch)))
	sayHello(t.Context(), &transcript{}, cc)
	if n := len(tracer.Finished()); n != 2 {
		t.Errorf("%d spans, want the call's and the token's", n)
	}

	chats := spantest.New(t)
	cc = testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(chats))
	outer := open(t, t.Context(), cc, testsvc.Chat)
	inner := open(t, outer.Context(), cc, testsvc.Chat)
	for _, cs := range []grpc.ClientStream{inner, outer} {
		cs.CloseSend()
		receiveAll(cs)
	}
	if n := len(chats.Finished()); n != 2 {
		t.Errorf("%d spans, want 2", n)
	}

	nested := spantest.New(t)
	var self *grpc.ClientConn
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		if in.Value == "again" {
			return in, nil
		}
		return in, self.Invoke(ctx, testsvc.Say, testsvc.Text("again"), new(testsvc.Msg))
	}}
	self = testsvc.Start(t, testsvc.Bufconn, srv, grpcmw.ServerOptions(nested), grpcmw.DialOptions(nested))
	sayHello(t.Context(), &transcript{}, self)
	if n := len(nested.Finished()); n != 4 {
		t.Errorf("%d spans, want 4", n)
	}
}

func TestTraceIDTrailer(t *testing.T) {
	for name, srv := range map[string]*testsvc.Server{"success": nil, "error": failing(errDetailed), "panic": panicking("boom")} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := engine(t, tracerinit.Always())
			cc := testsvc.Start(t, testsvc.Bufconn, srv, recovering(grpcmw.ServerOptions(tracer, grpcmw.WithTraceIDTrailer("X-Trace-ID"))), nil)
			var trailer metadata.MD
			err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg), grpc.Trailer(&trailer))
			cs := open(t, t.Context(), cc, testsvc.Repeat)
			cs.SendMsg(testsvc.Text("x"))
			receiveAll(cs)
			for i, md := range []metadata.MD{trailer, cs.Trailer()} {
				got := md["x-trace-id"]
				if err == nil {
					if len(got) != 0 {
						t.Errorf("sent on success: %q", got)
					}
					continue
				}
				if want := carrier.TraceID(reporter.GetSpans()[i].(*jaeger.Span).SpanContext()); len(got) != 1 || got[0] != want {
					t.Errorf("trailer %q, want %s", got, want)
				}
			}
		})
	}
	for _, key := range []string{"bad key", "grpc-status", "x-bin", ""} {
		t.Run(cmp.Or(key, "empty"), func(t *testing.T) {
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, failing(errDetailed), grpcmw.ServerOptions(tracer, grpcmw.WithTraceIDTrailer(key)), nil)
			if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.NotFound {
				t.Errorf("%q: %v", key, err)
			}
		})
	}
}

type noTrailers struct{ brokenStream }

func (*noTrailers) SetTrailer(metadata.MD) { panic("a stream without trailers") }

// TestTraceIDTrailerOfOtherStreams: a stream that is not gRPC's may have no trailers, and its RPC fails as without them.
func TestTraceIDTrailerOfOtherStreams(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	server := grpcmw.StreamServerInterceptor(tracer, grpcmw.WithTraceIDTrailer("X-Trace-ID"))
	stream := &noTrailers{brokenStream{ctx: t.Context(), err: errPlain}}
	err := server(nil, stream, chatInfo, func(any, grpc.ServerStream) error { return errPlain })
	if n := len(reporter.GetSpans()); err != errPlain || n != 1 {
		t.Errorf("%d spans, error %v", n, err)
	}
}

func TestLateGlobalTracer(t *testing.T) {
	server, client := grpcmw.UnaryServerInterceptor(nil), grpcmw.UnaryClientInterceptor(nil)
	server(t.Context(), nil, unaryInfo, unaryHandler)
	before := opentracing.GlobalTracer()
	tracer := spantest.New(t)
	opentracing.SetGlobalTracer(tracer)
	defer opentracing.SetGlobalTracer(before)
	server(t.Context(), nil, unaryInfo, unaryHandler)
	client(t.Context(), testsvc.Say, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil })
	if n := len(tracer.Finished()); n != 2 {
		t.Errorf("%d spans", n)
	}
}

func TestManyConstructionsLeaveNothing(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 10000 {
		grpcmw.ServerOptions(nil)
		grpcmw.DialOptions(nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// TestContextsCanBePrinted prints a handler's context while the call goes on, as logging and mocks do.
func TestContextsCanBePrinted(t *testing.T) {
	tracer := spantest.New(t)
	var printing sync.WaitGroup
	srv := &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
		printing.Go(func() {
			for range 20 {
				if s := fmt.Sprintf("%v %+v", ss.Context(), ss.Context()); strings.Contains(s, "s3cret") {
					t.Errorf("printed %s", s)
				}
			}
		})
		return ss.SendMsg(testsvc.Text("x"))
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, grpcmw.ServerOptions(tracer), nil)
	for range 10 {
		receiveAll(open(t, metadata.AppendToOutgoingContext(t.Context(), "authorization", "s3cret"), cc, testsvc.Chat))
	}
	printing.Wait()
}

func TestOutcomeOfUnaryRPCsCountsMessages(t *testing.T) {
	for name, tt := range map[string]struct {
		srv            *testsvc.Server
		client, server [2]int // sent, received
	}{
		"answered": {&testsvc.Server{}, [2]int{1, 1}, [2]int{1, 1}},
		"failed":   {failing(errDetailed), [2]int{1, 0}, [2]int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var got [2][2]int
			hook := func(side int) grpcmw.Option {
				return grpcmw.WithOutcome(func(_ context.Context, _ opentracing.Span, o *grpcmw.Outcome) { got[side] = [2]int{o.Sent, o.Received} })
			}
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, tt.srv, grpcmw.ServerOptions(tracer, hook(1)), grpcmw.DialOptions(tracer, hook(0)))
			cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
			tracer.Finished()
			if got != [2][2]int{tt.client, tt.server} {
				t.Errorf("%s: client and server tell %v", name, got)
			}
		})
	}
}

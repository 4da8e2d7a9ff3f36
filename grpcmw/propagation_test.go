package grpcmw_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// sees is a server that keeps the metadata of its calls.
func sees(md *metadata.MD) *testsvc.Server {
	return &testsvc.Server{
		Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
			*md, _ = metadata.FromIncomingContext(ctx)
			return in, nil
		},
		Stream: func(_ string, ss grpc.ServerStream) error {
			*md, _ = metadata.FromIncomingContext(ss.Context())
			for {
				if err := ss.RecvMsg(new(testsvc.Msg)); err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
			}
		},
	}
}

func engineDial(t testing.TB) (opentracing.Tracer, *jaeger.InMemoryReporter, []grpc.DialOption) {
	tracer, reporter := engine(t, tracerinit.Always())
	return tracer, reporter, grpcmw.DialOptions(tracer)
}

func TestOneTraceAcrossProcesses(t *testing.T) {
	client, sent, dial := engineDial(t)
	server, served := engine(t, tracerinit.Never()) // obeys the caller
	var baggage string
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		baggage = opentracing.SpanFromContext(ctx).BaggageItem("user-id")
		return in, nil
	}}
	cc := testsvc.Start(t, testsvc.TCP, srv, grpcmw.ServerOptions(server), dial)
	root := client.StartSpan("root")
	root.SetBaggageItem("user-id", "Zoë, 12%")
	if err := cc.Invoke(opentracing.ContextWithSpan(t.Context(), root), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
		t.Fatal(err)
	}
	root.Finish()
	call := sent.GetSpans()[0].(*jaeger.Span).SpanContext()
	serve := served.GetSpans()[0].(*jaeger.Span).SpanContext()
	if call.ParentID() != root.Context().(jaeger.SpanContext).SpanID() || serve.ParentID() != call.SpanID() || serve.TraceID() != call.TraceID() {
		t.Errorf("client %v, server %v, root %v", call, serve, root)
	}
	if baggage != "Zoë, 12%" {
		t.Errorf("baggage %q", baggage)
	}
}

// TestStockEngineBaggageCannotBreakACall uses jaeger-client-go without our propagator, which copies baggage keys as
// they are.
func TestStockEngineBaggageCannotBreakACall(t *testing.T) {
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	for name, ctx := range map[string]context.Context{
		"no metadata": t.Context(), "with metadata": metadata.AppendToOutgoingContext(t.Context(), "k", "v"),
	} {
		t.Run(name, func(t *testing.T) {
			var md metadata.MD
			cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer))
			root := tracer.StartSpan("root")
			for _, key := range []string{"user id", "user:id", "Ünïcode", "", "new\nline", "fine"} {
				root.SetBaggageItem(key, "v\x00ä")
			}
			if err := cc.Invoke(opentracing.ContextWithSpan(ctx, root), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
				t.Error(err)
			}
			if len(md["uber-trace-id"]) != 1 || len(md["uberctx-fine"]) != 1 {
				t.Errorf("metadata %q", md)
			}
			root.Finish()
		})
	}
}

// TestForwardedMetadataIsReplaced forwards incoming metadata, as proxies do, with stale context of all kinds.
func TestForwardedMetadataIsReplaced(t *testing.T) {
	_, reporter, dial := engineDial(t)
	var md metadata.MD
	cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), nil, dial)
	stale := metadata.Pairs("traceparent", traceparent[0], "traceparent", traceparent[0], "uber-trace-id", uberTraceID[0],
		"tracestate", "a=b", "uberctx-old", "1", "plain", "1", "plain", "2", "x-bin", "\x00\x01")
	kept := stale.Copy()
	ctx := metadata.AppendToOutgoingContext(metadata.NewOutgoingContext(t.Context(), stale), "Traceparent", "stale", "x-bin", "\xff")
	if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
		t.Fatal(err)
	}
	sc := reporter.GetSpans()[0].(*jaeger.Span).SpanContext()
	for _, key := range []string{"traceparent", "uber-trace-id"} {
		t.Run(key, func(t *testing.T) {
			if len(md[key]) != 1 || len(md[key]) == 1 && !contains(md[key][0], carrier.TraceID(sc)) {
				t.Errorf("%s is %q, want this call's only", key, md[key])
			}
		})
	}
	if len(md["tracestate"]) != 0 {
		t.Errorf("stale context was sent: %q", md)
	}
	if diff := cmp.Diff([]string{"1"}, md["uberctx-old"]); diff != "" {
		t.Errorf("baggage of others: %s", diff)
	}
	if diff := cmp.Diff([]string{"\x00\x01", "\xff"}, md["x-bin"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "2"}, md["plain"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(kept, stale); diff != "" {
		t.Errorf("the caller's metadata changed:\n%s", diff)
	}
}

func contains(s, part string) bool {
	return part != "" && len(s) > len(part) && (s[3:3+len(part)] == part || s[:len(part)] == part)
}

// TestOneContextManyCalls makes calls of both kinds from many goroutines with one context and its metadata.
func TestOneContextManyCalls(t *testing.T) {
	eachTracer(t, func(t *testing.T, tracer opentracing.Tracer) {
		cc := testsvc.Start(t, testsvc.Bufconn, nil, grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer))
		md := metadata.Pairs("k", "v")
		root := tracer.StartSpan("root")
		ctx := opentracing.ContextWithSpan(metadata.NewOutgoingContext(t.Context(), md), root)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
						t.Error(err)
					}
					tr := &transcript{}
					tr.stream(ctx, cc, testsvc.Chat, "a", "b")
				}
			})
		}
		wg.Wait()
		root.Finish()
		if len(md) != 1 || len(md["k"]) != 1 {
			t.Errorf("the caller's metadata changed: %v", md)
		}
	})
}

// TestConcurrentSendAndReceive lets both directions of a stream run at once on both ends.
func TestConcurrentSendAndReceive(t *testing.T) {
	s, c := both(t, testsvc.Bufconn, nil, nil, nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		cs := open(t, ctx, cc, testsvc.Chat)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 50 {
				cs.SendMsg(testsvc.Text("x"))
			}
			cs.CloseSend()
		})
		receiveAll(cs)
		wg.Wait()
	})
	for _, span := range []*mocktracer.MockSpan{s, c} {
		if span.Tag("rpc.messages.sent") != 50 || span.Tag("rpc.messages.received") != 50 {
			t.Errorf("tags %v", span.Tags())
		}
	}
}

func TestPropagationCanBeTurnedOff(t *testing.T) {
	tracer := spantest.New(t)
	var md metadata.MD
	off := grpcmw.WithPropagation(func(_ context.Context, m string) bool { return m != testsvc.Say })
	cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), nil, grpcmw.DialOptions(tracer, off))
	sayHello(t.Context(), &transcript{}, cc)
	if len(md["mockpfx-ids-traceid"]) != 0 {
		t.Errorf("sent %q", md)
	}
	(&transcript{}).stream(t.Context(), cc, testsvc.Chat)
	if len(md["mockpfx-ids-traceid"]) != 1 {
		t.Errorf("not sent: %q", md)
	}
}

// TestUntracedCallsPassTheContextOn goes through a server that does not trace the method, and a client that does not.
func TestUntracedCallsPassTheContextOn(t *testing.T) {
	none := grpcmw.WithFilter(matching(false))
	for _, method := range []string{testsvc.Say, testsvc.Repeat} {
		t.Run(method, func(t *testing.T) {
			tracer, reporter, _ := engineDial(t)
			var md metadata.MD
			backend := testsvc.Start(t, testsvc.Bufconn, sees(&md), nil, grpcmw.DialOptions(tracer, none))
			onwards := func(ctx context.Context) {
				sayHello(ctx, &transcript{}, backend)
			}
			middle := &testsvc.Server{
				Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) { onwards(ctx); return in, nil },
				Stream: func(_ string, ss grpc.ServerStream) error {
					onwards(ss.Context())
					return nil
				},
			}
			cc := testsvc.Start(t, testsvc.Bufconn, middle, grpcmw.ServerOptions(tracer, none), nil)
			ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent[0])
			if method == testsvc.Say {
				sayHello(ctx, &transcript{}, cc)
			} else {
				(&transcript{}).stream(ctx, cc, method)
			}
			if got := md["traceparent"]; len(got) != 1 || got[0] != traceparent[0] {
				t.Errorf("traceparent %q, want the caller's", got)
			}
			if n := reporter.SpansSubmitted(); n != 0 {
				t.Errorf("%d spans", n)
			}
		})
	}
}

// TestSpansInFront serves RPCs below a span that is active already, as that of an HTTP server is which hands them on.
func TestSpansInFront(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	below := func(opts ...opentracing.StartSpanOption) opentracing.Span {
		caller, err := tracer.Extract(opentracing.HTTPHeaders, carrier.Multi{"traceparent": traceparent})
		if err != nil {
			t.Fatal(err)
		}
		return testspans.Start(t, tracer, "POST", append(opts, opentracing.ChildOf(caller))...)
	}
	front, silent := below(), below(opentracing.Tag{Key: "sampling.priority", Value: uint16(0)})
	elsewhere := testspans.Start(t, tracer, "main")
	fromCaller, fromNobody := incomingWith("traceparent", traceparent), incomingWith("", nil)
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		front opentracing.Span
		want  string // parent
	}{
		{"in the caller's trace", fromCaller, front, carrier.SpanID(front.Context())},
		{"without a caller", fromNobody, elsewhere, carrier.SpanID(elsewhere.Context())},
		{"in another trace than the caller's", fromCaller, elsewhere, traceparent[0][36:52]},
		{"silenced", fromCaller, silent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, o := range []grpcmw.ServerOption{nil, grpcmw.WithFilter(matching(false))} {
				reporter.Reset()
				grpcmw.UnaryServerInterceptor(tracer, o)(opentracing.ContextWithSpan(tt.ctx, tt.front), nil, unaryInfo, func(ctx context.Context, _ any) (any, error) {
					if o != nil {
						child, _ := opentracing.StartSpanFromContextWithTracer(ctx, tracer, "child")
						child.Finish()
					}
					return nil, nil
				})
				got := ""
				for _, s := range reporter.GetSpans() {
					got = s.(*jaeger.Span).SpanContext().ParentID().String()
				}
				if got != tt.want {
					t.Errorf("%s, traced %v: below %q, want %q", tt.name, o == nil, got, tt.want)
				}
			}
		})
	}
}

func TestPublicEndpointsObeyNoCaller(t *testing.T) {
	tracer, reporter := engine(t, tracerinit.Always())
	public := grpcmw.WithPublicEndpoint(func(_ context.Context, m string) bool { return m == testsvc.Say })
	var baggage string
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		baggage = opentracing.SpanFromContext(ctx).BaggageItem("admin")
		return in, nil
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, grpcmw.ServerOptions(tracer, public), nil)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent[0], "baggage", "admin=1", "jaeger-debug-id", "x")
	sayHello(ctx, &transcript{}, cc)
	span := reporter.GetSpans()[0].(*jaeger.Span)
	tags := span.Tags()
	if tags["link.trace_id"] != traceparent[0][3:35] || tags["link.span_id"] != traceparent[0][36:52] {
		t.Errorf("tags %v", tags)
	}
	if span.SpanContext().ParentID() != 0 || carrier.TraceID(span.SpanContext()) == traceparent[0][3:35] || span.SpanContext().IsDebug() || baggage != "" {
		t.Errorf("the caller was obeyed: %v, baggage %q", span, baggage)
	}
	(&transcript{}).stream(ctx, cc, testsvc.Chat)
	if got := carrier.TraceID(reporter.GetSpans()[1].(*jaeger.Span).SpanContext()); got != traceparent[0][3:35] {
		t.Errorf("a private method started trace %s", got)
	}
}

// TestUntracedPublicEndpoints wants the context of a stranger not even passed on.
func TestUntracedPublicEndpoints(t *testing.T) {
	tracer, _ := engine(t, tracerinit.Always())
	public := grpcmw.WithPublicEndpoint(func(context.Context, string) bool { return true })
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", traceparent[0]))
	grpcmw.UnaryServerInterceptor(tracer, public, grpcmw.WithFilter(matching(false)))(ctx, nil, unaryInfo, func(ctx context.Context, _ any) (any, error) {
		if span := opentracing.SpanFromContext(ctx); span != nil {
			t.Errorf("passed on: %v", span.Context())
		}
		return nil, nil
	})
}

// TestNoopParentsArePassedToNoTracer makes calls under a span of a no-op tracer, of which others complain or panic.
func TestNoopParentsArePassedToNoTracer(t *testing.T) {
	ctx := opentracing.ContextWithSpan(t.Context(), opentracing.NoopTracer{}.StartSpan("nothing"))
	for _, traced := range []bool{true, false} {
		t.Run(fmt.Sprintf("traced %t", traced), func(t *testing.T) {
			eachTracer(t, func(t *testing.T, tracer opentracing.Tracer) {
				cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer, grpcmw.WithFilter(matching(traced))))
				sayHello(ctx, &transcript{}, cc)
			})
		})
	}
	complaints := &logged{}
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), jaeger.TracerOptions.Logger(complaints), testspans.Finished(t))
	defer closer.Close()
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer))
	sayHello(ctx, &transcript{}, cc)
	if len(complaints.errors) > 0 {
		t.Errorf("jaeger complains: %q", complaints.errors)
	}
}

// logged is a logger of jaeger's.
type logged struct{ errors []string }

func (l *logged) Error(msg string)     { l.errors = append(l.errors, msg) }
func (l *logged) Infof(string, ...any) {}

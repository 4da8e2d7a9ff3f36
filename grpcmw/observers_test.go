package grpcmw_test

import (
	"context"
	"fmt"
	"reflect"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// observer notes what it is notified of.
type observer struct {
	mu      sync.Mutex
	started []grpcmw.Call
	ended   []grpcmw.Outcome
	calls   []grpcmw.Call
	spans   int
}

func (o *observer) Started(_ context.Context, call grpcmw.Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started = append(o.started, call)
}

func (o *observer) Ended(ctx context.Context, call grpcmw.Call, span opentracing.Span, out *grpcmw.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	o.ended = append(o.ended, *out)
	if span != nil {
		o.spans++
	}
}

func (o *observer) counts() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("%d started, %d ended, %d with a span", len(o.started), len(o.ended), o.spans)
}

func TestObserversSeeEveryRPC(t *testing.T) {
	unsampled, _ := engine(t, tracerinit.Never())
	disabled, err := tracerinit.Start(tracerinit.Config{Local: true, Disabled: true, LookupEnv: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	defer disabled.Close()
	filtered := grpcmw.WithFilter(matching(false))
	for _, tt := range []struct {
		name   string
		tracer opentracing.Tracer
		option grpcmw.Option
		spans  int
	}{
		{"traced", spantest.New(t), nil, 4},
		{"unsampled", unsampled, nil, 4},
		{"filtered", spantest.New(t), filtered, 0},
		{"no tracer", opentracing.NoopTracer{}, nil, 0},
		{"disabled", disabled, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var client, server observer
			co, so := []grpcmw.ClientOption{grpcmw.WithObserver(&client)}, []grpcmw.ServerOption{grpcmw.WithObserver(&server)}
			if tt.option != nil {
				co, so = append(co, tt.option), append(so, tt.option)
			}
			cc := testsvc.Start(t, testsvc.Bufconn, nil, grpcmw.ServerOptions(tt.tracer, so...), grpcmw.DialOptions(tt.tracer, co...))
			all(t.Context(), &transcript{}, cc)
			want := fmt.Sprintf("4 started, 4 ended, %d with a span", tt.spans)
			for side, o := range map[string]*observer{"client": &client, "server": &server} {
				if !eventually(func() bool { return o.counts() == want }) {
					t.Fatalf("%s: %s, want %s", side, o.counts(), want)
				}
				checkObserved(t, side == "client", o)
			}
		})
	}
}

func checkObserved(t *testing.T, client bool, o *observer) {
	t.Helper()
	types := map[string]interceptors.GRPCType{
		testsvc.Say: interceptors.Unary, testsvc.Collect: interceptors.ClientStream,
		testsvc.Repeat: interceptors.ServerStream, testsvc.Chat: interceptors.BidiStream,
	}
	for i, call := range o.calls {
		if call.Client != client || call.Type != types[call.Method] || !slices.Contains(o.started, call) {
			t.Errorf("observed %+v", call)
		}
		got := o.ended[i]
		if got.Method != call.Method || got.OperationName != call.Method || got.Type != call.Type || got.Client != client ||
			got.Code != codes.OK || got.ErrorType != "" || got.Duration <= 0 || got.Sent == 0 || got.Received == 0 {
			t.Errorf("outcome %+v", got)
		}
	}
}

func TestOutcomesOfFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		body func() error
		code codes.Code
		kind string
	}{
		{"status", func() error { return errDetailed }, codes.NotFound, "NOT_FOUND"},
		{"plain error", func() error { return errPlain }, codes.Unknown, "UNKNOWN"},
		{"code of nobody", func() error { return claimsOK{} }, codes.Unknown, "UNKNOWN"},
		{"panic", func() error { panic("boom") }, codes.Unknown, "panic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var o observer
			func() {
				defer func() { _ = recover() }()
				grpcmw.UnaryServerInterceptor(opentracing.NoopTracer{}, grpcmw.WithObserver(&o))(t.Context(), nil, unaryInfo,
					func(context.Context, any) (any, error) { return nil, tt.body() })
			}()
			if len(o.ended) != 1 || o.ended[0].Code != tt.code || o.ended[0].ErrorType != tt.kind {
				t.Errorf("outcomes %+v", o.ended)
			}
		})
	}
}

// TestHooksAddUp installs an outcome hook, an observer and another hook, which panics in between.
func TestHooksAddUp(t *testing.T) {
	var o observer
	var seen []bool
	note := func(_ context.Context, _ opentracing.Span, out *grpcmw.Outcome) {
		seen = append(seen, out.IsError)
		out.IsError, out.Method = !out.IsError, "mine"
	}
	boom := func(context.Context, opentracing.Span, *grpcmw.Outcome) { panic("hook") }
	s, _ := callOnceDespitePanics(t, []grpcmw.ServerOption{
		grpcmw.WithOutcome(note), grpcmw.WithOutcome(boom), grpcmw.WithObserver(&o), grpcmw.WithObserver(nil),
	}, nil)
	if !slices.Equal(seen, []bool{false}) || len(o.ended) != 1 || !o.ended[0].IsError || o.ended[0].Method != testsvc.Say {
		t.Errorf("hook saw %v, observer %+v", seen, o.ended)
	}
	if s.Tag("error") != true || s.Tag("spanloom.hook_panics") != 1 {
		t.Errorf("tags %v", s.Tags())
	}
}

// TestHooksOfInnerInterceptors installs interceptors twice: there is one span, and the hooks of both are called once.
func TestHooksOfInnerInterceptors(t *testing.T) {
	tracer := spantest.New(t)
	var outer, inner, shared observer
	one := []grpcmw.Option{grpcmw.WithObserver(&outer), grpcmw.WithObserver(&shared)}
	two := []grpcmw.Option{grpcmw.WithObserver(&inner), grpcmw.WithObserver(&shared)}
	cc := testsvc.Start(t, testsvc.Bufconn, nil,
		append(grpcmw.ServerOptions(tracer, one[0], one[1]), grpcmw.ServerOptions(tracer, two[0], two[1])...),
		append(grpcmw.DialOptions(tracer, one[0], one[1]), grpcmw.DialOptions(tracer, two[0], two[1])...))
	all(t.Context(), &transcript{}, cc)
	for name, o := range map[string]*observer{"outer": &outer, "inner": &inner, "shared": &shared} {
		t.Run(name, func(t *testing.T) {
			if want := "8 started, 8 ended, 8 with a span"; !eventually(func() bool { return o.counts() == want }) {
				t.Errorf("%s: %s, want %s", name, o.counts(), want)
			}
		})
	}
	if n := len(tracer.Finished()); n != 8 {
		t.Errorf("%d spans, want 8", n)
	}
}

func TestObserversThatPanic(t *testing.T) {
	s, c := callOnceDespitePanics(t, []grpcmw.ServerOption{grpcmw.WithObserver(panickingObserver{})}, []grpcmw.ClientOption{grpcmw.WithObserver(panickingObserver{})})
	if s.Tag("spanloom.hook_panics") != 2 || c.Tag("spanloom.hook_panics") != 2 {
		t.Errorf("server %v, client %v", s.Tags(), c.Tags())
	}
}

type panickingObserver struct{}

func (panickingObserver) Started(context.Context, grpcmw.Call) { panic("started") }
func (panickingObserver) Ended(context.Context, grpcmw.Call, opentracing.Span, *grpcmw.Outcome) {
	panic("ended")
}

func TestBaggageBecomesTags(t *testing.T) {
	tracer := spantest.New(t)
	tag := grpcmw.WithBaggageTags("tenant", "absent", "long", "tenant")
	root := tracer.StartSpan("root").SetBaggageItem("tenant", "acme").SetBaggageItem("long", strings.Repeat("x", 999))
	cc := testsvc.Start(t, testsvc.Bufconn, nil, grpcmw.ServerOptions(tracer, tag), grpcmw.DialOptions(tracer, tag))
	sayHello(opentracing.ContextWithSpan(t.Context(), root), &transcript{}, cc)
	root.Finish()
	for _, s := range tracer.Finished()[:2] {
		if long, _ := s.Tag("baggage.long").(string); s.Tag("baggage.tenant") != "acme" || len(long) > 256 || long == "" || s.Tag("baggage.absent") != nil {
			t.Errorf("tags %v", s.Tags())
		}
	}
}

// TestProfilingLabelsAreThereWhileUserCodeRuns looks at the labels of the goroutine and of the context in all four places where user code runs.
func TestProfilingLabelsAreThereWhileUserCodeRuns(t *testing.T) {
	tracer := ours(t)
	labels := grpcmw.WithProfilingLabels()
	ctx := pprof.WithLabels(t.Context(), pprof.Labels("mine", "1"))
	pprof.SetGoroutineLabels(ctx)
	defer pprof.SetGoroutineLabels(context.Background())
	check := func(ctx context.Context) {
		t.Helper()
		for _, key := range []string{"span_name", "trace_id", "span_id", "mine"} {
			if v, ok := pprof.Label(ctx, key); !ok || v == "" {
				t.Errorf("no label %s in the context", key)
			}
		}
		if !strings.Contains(goroutines(), `"span_name":"`) {
			t.Error("no label on the goroutine")
		}
	}
	grpcmw.UnaryServerInterceptor(tracer, labels)(ctx, nil, unaryInfo, func(ctx context.Context, _ any) (any, error) { check(ctx); return nil, nil })
	grpcmw.StreamServerInterceptor(tracer, labels)(nil, &pingPong{ctx: ctx}, chatInfo, func(_ any, ss grpc.ServerStream) error { check(ss.Context()); return nil })
	grpcmw.UnaryClientInterceptor(tracer, labels)(ctx, testsvc.Say, nil, nil, nil,
		func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			check(ctx)
			return nil
		})
	grpcmw.StreamClientInterceptor(tracer, labels)(ctx, testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
		func(ctx context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
			check(ctx)
			return nil, nil
		})
	if now := goroutines(); strings.Contains(now, `"span_name"`) || !strings.Contains(now, `"mine":"1"`) {
		t.Errorf("labels were left on the goroutine:\n%s", now)
	}
}

// goroutines returns the profile of all goroutines, with their labels.
func goroutines() string {
	var b strings.Builder
	pprof.Lookup("goroutine").WriteTo(&b, 1)
	return b.String()
}

// TestWhatTheKitSendsIsNotTraced makes calls with the mark of the kit's own exporters.
func TestWhatTheKitSendsIsNotTraced(t *testing.T) {
	tracer := spantest.New(t)
	var o observer
	var md map[string][]string
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer, grpcmw.WithObserver(&o), grpcmw.WithFilter(matching(true))))
	ctx := quiet.Context(opentracing.ContextWithSpan(t.Context(), opentracing.NoopTracer{}.StartSpan("")))
	all(ctx, &transcript{}, cc)
	md = outgoing(ctx, tracer)
	if n := len(tracer.Finished()); n != 0 || o.counts() != "0 started, 0 ended, 0 with a span" || len(md) != 0 {
		t.Errorf("%d spans, %s, metadata %v", n, o.counts(), md)
	}
}

// TestCallIsComparable keeps Call usable as a key, which observers need.
func TestCallIsComparable(t *testing.T) {
	if !reflect.TypeFor[grpcmw.Call]().Comparable() {
		t.Error("a Call cannot be a key")
	}
}

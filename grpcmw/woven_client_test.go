package grpcmw

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/woven"
)

// TestEveryOptionByHandHoldsOnAWovenConnection wherever the interceptors are.
func TestEveryOptionByHandHoldsOnAWovenConnection(t *testing.T) {
	for name, option := range map[string]func(*seen) ClientOption{
		"none":               func(*seen) ClientOption { return nil },
		"WithFilter":         func(*seen) ClientOption { return WithFilter(matchNone) },
		"WithPropagation":    func(*seen) ClientOption { return WithPropagation(func(context.Context, string) bool { return false }) },
		"WithObserver":       func(s *seen) ClientOption { return WithObserver(s) },
		"WithTraceIDTrailer": func(*seen) ClientOption { return WithTraceIDTrailer("x-trace-id") },
		"WithPeerService":    func(*seen) ClientOption { return WithPeerService(func(string) string { return "echo" }) },
	} {
		for place, install := range map[string]func(o ClientOption) []grpc.DialOption{
			"chained": func(o ClientOption) []grpc.DialOption { return DialOptions(nil, o) },
			"single": func(o ClientOption) []grpc.DialOption {
				return []grpc.DialOption{grpc.WithUnaryInterceptor(UnaryClientInterceptor(nil, o)), grpc.WithStreamInterceptor(StreamClientInterceptor(nil, o))}
			},
		} {
			t.Run(name+", "+place, func(t *testing.T) {
				run := func(isWoven bool) [][]string {
					_, reporter := kitTracer(t)
					s := new(seen)
					opts := install(option(s))
					if isWoven {
						defer woven.Force()()
						opts = wovenDialOptions(opts)
					}
					sent := callAll(t, t.Context(), opts)
					return [][]string{describe(reporter.GetSpans()), sent, s.log}
				}
				if diff := cmp.Diff(run(false), run(true)); diff != "" {
					t.Errorf("-by hand +woven:\n%s", diff)
				}
			})
		}
	}
}

// callAll makes a unary RPC and a stream to an untraced server, and returns which of them came with a context.
func callAll(t *testing.T, ctx context.Context, dial []grpc.DialOption) (sent []string) {
	t.Helper()
	var mu sync.Mutex
	note := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, fmt.Sprint(len(md["traceparent"])))
	}
	srv := &testsvc.Server{
		Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
			note(ctx)
			return in, grpc.SetTrailer(ctx, metadata.Pairs("x-trace-id", callerTrace))
		},
		Stream: func(_ string, ss grpc.ServerStream) error { note(ss.Context()); return nil },
	}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, nil, dial)
	if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
		t.Fatal(err)
	}
	cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
	if err != nil {
		t.Fatal(err)
	}
	_ = cs.RecvMsg(new(testsvc.Msg))
	return sent
}

func TestAWovenConnectionIsTracedAsByHand(t *testing.T) {
	_, reporter := kitTracer(t)
	wantSent := callAll(t, t.Context(), DialOptions(nil))
	want := describe(reporter.GetSpans())
	for name, c := range map[string]struct {
		mark   func(context.Context) context.Context
		traced bool
	}{
		"traced":            {context.WithoutCancel, true},
		"of the kit itself": {quiet.Context, false},
	} {
		t.Run(name, func(t *testing.T) {
			defer woven.Force()()
			_, reporter := kitTracer(t)
			sent := callAll(t, c.mark(t.Context()), wovenDialOptions(nil))
			got := describe(reporter.GetSpans())
			if c.traced {
				if diff := cmp.Diff([][]string{want, wantSent}, [][]string{got, sent}); diff != "" {
					t.Errorf("-by hand +woven:\n%s", diff)
				}
				return
			}
			if len(got) > 0 || sent[0] != "0" || sent[1] != "0" {
				t.Errorf("spans %v, contexts sent %v", got, sent)
			}
		})
	}
}

// hookTracer adds to the contexts of its spans, as a bridge to another API does.
type hookTracer struct{ *mocktracer.MockTracer }

type hookSpan struct {
	opentracing.Span
	tracer *hookTracer
}

type hookKey struct{}

func (s hookSpan) Tracer() opentracing.Tracer { return s.tracer }

func (t *hookTracer) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	return hookSpan{t.MockTracer.StartSpan(name, opts...), t}
}

func (t *hookTracer) ContextWithSpanHook(ctx context.Context, span opentracing.Span) context.Context {
	return context.WithValue(ctx, hookKey{}, span)
}

// TestNothingOfADiscardedSpanIsLeft for the handler, when an interceptor by hand has decided not to trace.
func TestNothingOfADiscardedSpanIsLeft(t *testing.T) {
	defer woven.Force()()
	setGlobal(t, &hookTracer{mocktracer.New()})
	var left []any
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		left = append(left, ctx.Value(hookKey{}))
		return in, nil
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, wovenServerOptions(ServerOptions(nil, WithFilter(matchNone))), nil)
	for range 2 {
		if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]any{nil, nil}, left); diff != "" {
		t.Error(diff)
	}
}

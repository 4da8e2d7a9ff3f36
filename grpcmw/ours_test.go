package grpcmw_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// ours is a tracer of tracerinit, of which the interceptors know more than of others.
func ours(t testing.TB) *tracerinit.Tracer {
	return reportTo(t, tracerinit.Always(), jaeger.NewNullReporter())
}

// startKit starts a tracer of tracerinit that ends with the test, which fails if spans of it are still open then.
func startKit(t testing.TB, cfg tracerinit.Config) *tracerinit.Tracer {
	t.Helper()
	cfg.Local, cfg.Service = true, "test"
	cfg.LookupEnv = func(string) (string, bool) { return "", false }
	tracer, err := tracerinit.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	return tracer
}

func reportTo(t testing.TB, sampler tracerinit.Sampler, reporter jaeger.Reporter) *tracerinit.Tracer {
	t.Helper()
	tracer := startKit(t, tracerinit.Config{Sampler: sampler, Reporters: []jaeger.Reporter{reporter}})
	return tracer
}

// outgoing is the metadata of a call that the interceptor makes.
func outgoing(ctx context.Context, tracer opentracing.Tracer, opts ...grpcmw.ClientOption) (md metadata.MD) {
	grpcmw.UnaryClientInterceptor(tracer, opts...)(ctx, testsvc.Say, nil, nil, nil,
		func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
			md, _ = metadata.FromOutgoingContext(ctx)
			return nil
		})
	return md
}

type overriding struct{ *tracerinit.Tracer }

func (o overriding) Inject(sc opentracing.SpanContext, format, carrier any) error {
	w := carrier.(opentracing.TextMapWriter)
	w.Set("x-tenant", "acme")
	w.Set("x-city", "Zürich")
	return o.Tracer.Inject(sc, format, carrier)
}

// A tracer that embeds ours and does some things its own way is not ours.
func TestTracersAroundOurs(t *testing.T) {
	tracer := overriding{ours(t)}
	parent := opentracing.ContextWithSpan(t.Context(), testspans.Start(t, tracer, "x"))
	for name, ctx := range map[string]context.Context{
		"traced": t.Context(), "with metadata": metadata.AppendToOutgoingContext(t.Context(), "a", "b"), "in a trace": parent,
	} {
		t.Run(name, func(t *testing.T) {
			for _, opts := range [][]grpcmw.ClientOption{nil, {grpcmw.WithFilter(matching(false))}} {
				if opts != nil && name != "in a trace" {
					continue
				}
				md := outgoing(ctx, tracer, opts...)
				if !slices.Equal(md["x-tenant"], []string{"acme"}) || md["x-city"] != nil || len(md["traceparent"]) != 1 {
					t.Errorf("%s, %d options: %v", name, len(opts), md)
				}
			}
		})
	}
}

type umlauts struct{}

func (umlauts) Inject(_ jaeger.SpanContext, carrier any) error {
	carrier.(opentracing.TextMapWriter).Set("x-tenant", "Zoë")
	return nil
}

func TestInjectorsOfOthersCannotBreakACall(t *testing.T) {
	tracer, closer := jaeger.NewTracer("x", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), jaeger.TracerOptions.Injector(opentracing.HTTPHeaders, umlauts{}), testspans.Finished(t))
	defer closer.Close()
	for name, ctx := range map[string]context.Context{
		"no metadata": t.Context(), "with metadata": metadata.AppendToOutgoingContext(t.Context(), "a", "b"),
	} {
		t.Run(name, func(t *testing.T) {
			if md := outgoing(ctx, tracer); md["x-tenant"] != nil {
				t.Errorf("gRPC fails a call with %v", md)
			}
		})
	}
}

type brokenInjector struct{ *tracerinit.Tracer }

func (brokenInjector) Inject(opentracing.SpanContext, any, any) error { panic("no carrier of mine") }

// An RPC is made as it would be without the kit, whatever the tracer does instead of injecting.
func TestRPCsOfTracersThatPanicInInject(t *testing.T) {
	tracer := brokenInjector{ours(t)}
	for name, ctx := range map[string]context.Context{
		"no metadata": t.Context(), "with metadata": metadata.AppendToOutgoingContext(t.Context(), "a", "b"),
	} {
		t.Run(name, func(t *testing.T) {
			want, _ := metadata.FromOutgoingContext(ctx)
			if md := outgoing(ctx, tracer); !maps.EqualFunc(md, want, slices.Equal) {
				t.Errorf("sent %v, want %v", md, want)
			}
		})
	}
}

func TestBaggageThatDiffersInCaseIsOneKey(t *testing.T) {
	tracer := ours(t)
	span := testspans.Start(t, tracer, "x").SetBaggageItem("userId", "1").SetBaggageItem("userid", "2")
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	for name, ctx := range map[string]context.Context{
		"no metadata": ctx, "with metadata": metadata.AppendToOutgoingContext(ctx, "a", "b"),
	} {
		t.Run(name, func(t *testing.T) {
			md := outgoing(ctx, tracer)
			for key, values := range md {
				if len(values) > 1 {
					t.Errorf("%s: %q", key, values)
				}
			}
			if len(md["uberctx-userid"]) != 1 {
				t.Errorf("no baggage in %v", md)
			}
		})
	}
}

// Interceptors below may add options of their own, several at a time.
func TestOptionsAreNotShared(t *testing.T) {
	var wg sync.WaitGroup
	add := func(opts []grpc.CallOption) {
		for range 2 {
			wg.Go(func() {
				var md metadata.MD
				mine := append(opts, grpc.Header(&md))
				if o, ok := mine[len(mine)-1].(grpc.HeaderCallOption); !ok || o.HeaderAddr != &md {
					t.Error("another's option took the place of mine")
				}
			})
		}
		wg.Wait()
	}
	tracer := ours(t)
	grpcmw.UnaryClientInterceptor(tracer)(t.Context(), testsvc.Say, nil, nil, nil,
		func(_ context.Context, _ string, _, _ any, _ *grpc.ClientConn, opts ...grpc.CallOption) error {
			add(opts)
			return nil
		})
	grpcmw.StreamClientInterceptor(tracer)(t.Context(), testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
		func(_ context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			add(opts)
			return nil, nil
		})
}

// The attempts of a hedging interceptor end at any time. Under race.
func TestTrailersOfHedgedCalls(t *testing.T) {
	var attempts sync.WaitGroup
	hedge := grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, _ any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		first := make(chan error, 2)
		for range 2 {
			attempts.Go(func() { first <- invoker(ctx, method, req, new(testsvc.Msg), cc, opts...) })
		}
		return <-first
	})
	tracer := ours(t)
	key := grpcmw.WithTraceIDTrailer("x-trace-id")
	cc := testsvc.Start(t, testsvc.Bufconn, failing(errDetailed), grpcmw.ServerOptions(tracer, key), append(grpcmw.DialOptions(tracer, key), hedge))
	for range 20 {
		cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	}
	attempts.Wait()
}

func TestNameHookIsCalledOnce(t *testing.T) {
	var called []string
	name := grpcmw.WithOperationName(func(method string) string { called = append(called, method); return "x" })
	grpcmw.StreamClientInterceptor(ours(t), grpcmw.WithCheckpoints(time.Hour), name)(t.Context(), testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return nil, nil
		})
	if len(called) != 1 {
		t.Errorf("called with %s", strings.Join(called, ", "))
	}
}

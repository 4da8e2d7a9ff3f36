package grpcmw_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
)

// verbose is a tracer that writes more than any server accepts.
type verbose struct{ opentracing.Tracer }

func (verbose) Inject(_ opentracing.SpanContext, _, w any) error {
	w.(opentracing.TextMapWriter).Set("state", strings.Repeat("x", 1<<20))
	return nil
}

// passing are interceptors that only call on.
var passing = []grpc.DialOption{
	grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoker(ctx, method, req, reply, cc, opts...)
	}),
	grpc.WithChainStreamInterceptor(wrapping),
}

// countedTries are credentials, which gRPC reads whenever it tries to send an RPC.
type countedTries struct{ n *int }

func (c countedTries) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	*c.n++
	return nil, nil
}

func (countedTries) RequireTransportSecurity() bool { return false }

// callBothWays makes a unary and a streaming RPC and counts how often gRPC tried.
func callBothWays(ctx context.Context, cc *grpc.ClientConn, streams bool) (tries int, err error) {
	count := grpc.PerRPCCredentials(countedTries{&tries})
	if !streams {
		err = cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg), count)
		return tries, err
	}
	cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat, count)
	if err != nil {
		return tries, err
	}
	if err := cs.CloseSend(); err != nil {
		return tries, err
	}
	if err = cs.RecvMsg(new(testsvc.Msg)); err == io.EOF {
		err = nil
	}
	return tries, err
}

// TestServersWithSmallHeaderLists calls servers that accept less than most, with more baggage than they accept. Every
// RPC that would come through without the kit does so with it, and keeps the span's context if that alone fits.
func TestServersWithSmallHeaderLists(t *testing.T) {
	styles := []carrier.BaggageStyle{carrier.W3CBaggage, carrier.JaegerBaggage, carrier.PrefixBaggage}
	stockTracer, _ := jaeger.NewTracer("x", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	for name, tracer := range map[string]opentracing.Tracer{
		"default": ours(t), "all styles": propagating(t, carrier.Config{Baggage: carrier.Baggage{Styles: styles}}),
		"stock": stockTracer, "a verbose tracer": verbose{mocktracer.New()}, "an interceptor in between": ours(t),
	} {
		var between []grpc.DialOption
		if name == "an interceptor in between" {
			between = passing
		}
		for _, limit := range []int{2 << 10, 4 << 10} {
			for _, own := range []int{0, 1000, 1500} {
				for _, streams := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%d bytes/%d own bytes/streams %v", name, limit, own, streams), func(t *testing.T) {
						var md metadata.MD
						cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), []grpc.ServerOption{grpc.MaxHeaderListSize(uint32(limit))},
							append(grpcmw.DialOptions(tracer), between...))
						ctx := withBaggage(t, tracer)
						if own > 0 {
							ctx = metadata.AppendToOutgoingContext(ctx, "own", strings.Repeat("x", own))
						}
						if between != nil && !streams { // whether gRPC has sent the RPC is not known then, so the next one has to fit
							_, _ = callBothWays(ctx, cc, streams)
							if own+1000 >= limit {
								return // only without the span's context
							}
						}
						for range 2 {
							if _, err := callBothWays(ctx, cc, streams); err != nil {
								t.Fatal(err)
							}
						}
						if n := len(strings.Join(md["own"], "")); n != own {
							t.Errorf("%d bytes of the caller's metadata, want %d", n, own)
						}
						if own+1000 < limit && name != "a verbose tracer" && len(md["traceparent"])+len(md["uber-trace-id"]) == 0 {
							t.Error("the span's context is lost")
						}
					})
				}
			}
		}
	}
}

// TestSmallHeaderListsAreRemembered wants one try of an RPC that follows, with the baggage that fits.
func TestSmallHeaderListsAreRemembered(t *testing.T) {
	for _, streams := range []bool{false, true} {
		t.Run(fmt.Sprintf("streams %v", streams), func(t *testing.T) {
			var md metadata.MD
			tracer := ours(t)
			cc := testsvc.Start(t, testsvc.Bufconn, sees(&md), []grpc.ServerOption{grpc.MaxHeaderListSize(4 << 10)}, grpcmw.DialOptions(tracer))
			for i, want := range []int{2, 1} {
				if tries, err := callBothWays(withBaggage(t, tracer), cc, streams); err != nil || tries != want {
					t.Errorf("call %d: %d tries, want %d: %v", i, tries, want, err)
				}
			}
			if n := strings.Count(strings.Join(md["baggage"], ","), "item-"); n < 10 {
				t.Errorf("%d items of baggage are sent", n)
			}
		})
	}
}

// TestRefusalsAreNotRepeated makes RPCs that would fail without the kit, too: their error passes, and gRPC tries once.
func TestRefusalsAreNotRepeated(t *testing.T) {
	var handled atomic.Int32
	ofAnother := status.Error(codes.Internal, "header list size to send violates the maximum size (2048 bytes) set by server")
	refusing := &testsvc.Server{
		Say:    func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { handled.Add(1); return nil, ofAnother },
		Stream: func(string, grpc.ServerStream) error { handled.Add(1); return ofAnother },
	}
	for _, streams := range []bool{false, true} {
		for _, own := range []int{0, 5000} {
			for name, between := range map[string][]grpc.DialOption{"straight": nil, "an interceptor in between": passing} {
				t.Run(fmt.Sprintf("%s/streams %v/%d own bytes", name, streams, own), func(t *testing.T) {
					handled.Store(0)
					tracer := ours(t)
					limit := grpc.MaxHeaderListSize(uint32(16<<10 - 3*own))
					cc := testsvc.Start(t, testsvc.Bufconn, refusing, []grpc.ServerOption{limit}, append(grpcmw.DialOptions(tracer), between...))
					ctx, want := withBaggage(t, tracer), int32(1)
					if own > 0 {
						ctx, want = metadata.AppendToOutgoingContext(ctx, "own", strings.Repeat("x", own)), 0
					}
					tries, err := callBothWays(ctx, cc, streams)
					if status.Code(err) != codes.Internal || tries != 1 || handled.Load() != want {
						t.Errorf("%v after %d tries, handled %d times", err, tries, handled.Load())
					}
				})
			}
		}
	}
}

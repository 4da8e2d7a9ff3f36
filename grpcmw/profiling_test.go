package grpcmw_test

import (
	"context"
	"io"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
)

// ownLabels returns the labels of the running goroutine, as the profile of all goroutines has them.
func ownLabels() string {
	for block := range strings.SplitSeq(goroutines(), "\n\n") {
		if _, labels, _ := strings.Cut(block, "# labels: "); strings.Contains(labels, "pprof.(*Profile).WriteTo") {
			labels, _, _ = strings.Cut(labels, "\n")
			return labels
		}
	}
	return ""
}

// labelled reports whether the running goroutine has all the labels, given as key and value.
func labelled(labels ...string) bool {
	own := ownLabels()
	for i := 0; i < len(labels); i += 2 {
		if !strings.Contains(own, `"`+labels[i]+`":"`+labels[i+1]+`"`) {
			return false
		}
	}
	return true
}

// rpcs are an RPC of each kind.
var rpcs = map[string]func(ctx context.Context, cc *grpc.ClientConn) error{
	testsvc.Say: func(ctx context.Context, cc *grpc.ClientConn) error {
		return cc.Invoke(ctx, testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	},
	testsvc.Collect: streamed(testsvc.Collect), testsvc.Repeat: streamed(testsvc.Repeat), testsvc.Chat: streamed(testsvc.Chat),
}

// streamed returns a call that sends one message and reads all answers.
func streamed(method string) func(ctx context.Context, cc *grpc.ClientConn) error {
	return func(ctx context.Context, cc *grpc.ClientConn) error {
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(method), method)
		if err != nil {
			return err
		}
		if err = cs.SendMsg(testsvc.Text("x")); err != nil {
			return err
		}
		if err = cs.CloseSend(); err != nil {
			return err
		}
		for err == nil {
			err = cs.RecvMsg(new(testsvc.Msg))
		}
		if err == io.EOF {
			err = nil
		}
		return err
	}
}

// TestLabelsOfTheServersGoroutineSurvive: those of the goroutine that serves, which the contexts of RPCs lack. The
// handler calls another service with a context that has no labels either.
func TestLabelsOfTheServersGoroutineSurvive(t *testing.T) {
	for method, call := range rpcs {
		t.Run(method, func(t *testing.T) {
			tracer := ours(t)
			labels := grpcmw.WithProfilingLabels()
			other := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer, labels))
			check := func(ctx context.Context) {
				if err := call(context.Background(), other); err != nil {
					t.Error(err)
				}
				id := carrier.TraceID(opentracing.SpanFromContext(ctx).Context())
				if !labelled("service", "shop", "trace_id", id, "span_name", method) {
					t.Errorf("want service, %s and trace %s on the goroutine after a call, got %s", method, id, ownLabels())
				}
				if service, _ := pprof.Label(ctx, "service"); service != "shop" {
					t.Errorf("service %q in the context, want shop", service)
				}
			}
			after := func() {
				if own := ownLabels(); own != `{"service":"shop"}` {
					t.Errorf("after the handler the goroutine has %s", own)
				}
			}
			server := []grpc.ServerOption{
				grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
					defer after()
					return h(ctx, req)
				}),
				grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
					defer after()
					return h(srv, ss)
				}),
			}
			srv := &testsvc.Server{
				Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) { check(ctx); return in, nil },
				Stream: func(_ string, ss grpc.ServerStream) error {
					check(ss.Context())
					return nil
				},
			}
			var cc *grpc.ClientConn
			pprof.Do(t.Context(), pprof.Labels("service", "shop"), func(context.Context) {
				cc = testsvc.Start(t, testsvc.TCP, srv, append(server, grpcmw.ServerOptions(tracer, labels)...), nil)
			})
			for range 2 {
				if err := call(t.Context(), cc); err != nil && method == testsvc.Say {
					t.Error(err)
				}
			}
		})
	}
}

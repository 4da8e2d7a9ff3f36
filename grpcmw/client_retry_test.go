package grpcmw_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// harmlessRetry is go-grpc-middleware's retry for streams of which a client sends one message.
func harmlessRetry(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if desc.ClientStreams {
		return streamer(ctx, desc, cc, method, opts...)
	}
	return retry.StreamClientInterceptor(retry.WithMax(2))(ctx, desc, cc, method, streamer, opts...)
}

// failsTwice answers the third attempt. It sends the number of each attempt, as its metadata has it.
func failsTwice() (*testsvc.Server, <-chan any) {
	var attempts atomic.Int32
	arrived := make(chan any, 3)
	fails := func(ctx context.Context) error {
		arrived <- attemptIn(ctx)
		if attempts.Add(1) < 3 {
			return status.Error(codes.Unavailable, "not yet")
		}
		return nil
	}
	return &testsvc.Server{
		Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) { return in, fails(ctx) },
		Stream: func(_ string, ss grpc.ServerStream) error {
			ss.RecvMsg(new(testsvc.Msg))
			if err := fails(ss.Context()); err != nil {
				return err
			}
			ss.SendMsg(testsvc.Text("a"))
			return ss.SendMsg(testsvc.Text("b"))
		},
	}, arrived
}

// callOf makes one RPC, which succeeds. A stream has two messages.
func callOf(t *testing.T, cc *grpc.ClientConn, method string) {
	t.Helper()
	if method == testsvc.Say {
		if err := cc.Invoke(t.Context(), method, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Fatal(err)
		}
		return
	}
	cs := open(t, t.Context(), cc, method)
	cs.SendMsg(testsvc.Text("x"))
	cs.CloseSend()
	if n, err := receiveAll(cs); n != 2 || err != io.EOF {
		t.Fatalf("%d messages and %v", n, err)
	}
}

// TestRetriesAreOneSpan lets a server fail twice before it answers.
func TestRetriesAreOneSpan(t *testing.T) {
	const policy = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":4,"initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	retrying := []retry.CallOption{retry.WithMax(4), retry.WithCodes(codes.Unavailable), retry.WithBackoff(retry.BackoffLinear(time.Millisecond))}
	for name, below := range map[string][]grpc.DialOption{
		"service config": {grpc.WithDefaultServiceConfig(policy)},
		"interceptor": {grpc.WithChainStreamInterceptor(retry.StreamClientInterceptor(retrying...)),
			grpc.WithChainUnaryInterceptor(retry.UnaryClientInterceptor(retrying...))},
	} {
		for _, method := range []string{testsvc.Say, testsvc.Repeat} {
			t.Run(name+"/"+method, func(t *testing.T) {
				server, client := spantest.New(t), spantest.New(t)
				flaky, arrived := failsTwice()
				cc := testsvc.Start(t, testsvc.Bufconn, flaky, grpcmw.ServerOptions(server), append(grpcmw.DialOptions(client), below...))
				callOf(t, cc, method)
				if got := only(t, client).Tag("rpc.messages.received"); method == testsvc.Repeat && got != 2 {
					t.Errorf("%v messages received, want 2", got)
				}
				span := only(t, client)
				if span.Tag("rpc.grpc.status_code") != 0 || span.Tag("error") != nil {
					t.Errorf("tags %v", span.Tags())
				}
				spans := server.Finished()
				if len(spans) != 3 {
					t.Fatalf("%d server spans, want 3", len(spans))
				}
				for i := range 3 {
					want := <-arrived
					if got := spans[i].Tag("grpc.attempt"); got != want {
						t.Errorf("attempt %v, want %v", got, want)
					}
					if span.FinishTime.Before(spans[i].FinishTime) && i < 2 {
						t.Errorf("the call ended before its attempt %d", i+1)
					}
				}
			})
		}
	}
}

// attemptIn returns the number of an attempt, counted from 1, or nil if the metadata has none. The streams of
// go-grpc-middleware's retry have none before version 2.2.
func attemptIn(ctx context.Context) any {
	for _, key := range []string{"grpc-previous-rpc-attempts", "x-retry-attempt"} {
		if vs := metadata.ValueFromIncomingContext(ctx, key); len(vs) == 1 {
			before, _ := strconv.Atoi(vs[0])
			return before + 1
		}
	}
	return nil
}

// inProcess is a channel without a connection that ignores call options.
type inProcess struct {
	grpc.ClientStream
	ctx  context.Context
	recv chan error
}

func (s *inProcess) Context() context.Context     { return s.ctx }
func (s *inProcess) Header() (metadata.MD, error) { return nil, nil }
func (s *inProcess) SendMsg(any) error            { return nil }
func (s *inProcess) CloseSend() error             { return nil }
func (s *inProcess) RecvMsg(any) error {
	select {
	case err := <-s.recv:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// startInProcess opens a stream of a channel that has no connection and receives these answers.
func startInProcess(t *testing.T, ctx context.Context, answers ...error) (grpc.ClientStream, *spantest.Tracer) {
	t.Helper()
	tracer := spantest.New(t)
	streamer := func(ctx context.Context, _ *grpc.StreamDesc, _ *grpc.ClientConn, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
		s := &inProcess{ctx: ctx, recv: make(chan error, len(answers))}
		for _, err := range answers {
			s.recv <- err
		}
		return s, nil
	}
	cs, err := grpcmw.StreamClientInterceptor(tracer)(ctx, testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat, streamer)
	if err != nil {
		t.Fatal(err)
	}
	return cs, tracer
}

func TestChannelsWithoutAConnection(t *testing.T) {
	t.Run("end", func(t *testing.T) {
		cs, tracer := startInProcess(t, t.Context(), nil, nil, io.EOF)
		if n, err := receiveAll(cs); n != 2 || err != io.EOF {
			t.Fatal(n, err)
		}
		if got := only(t, tracer).Tag("rpc.messages.received"); got != 2 {
			t.Errorf("received %v", got)
		}
	})
	t.Run("error", func(t *testing.T) {
		cs, tracer := startInProcess(t, t.Context(), errDetailed)
		if _, err := receiveAll(cs); err != errDetailed {
			t.Fatal(err)
		}
		if got := only(t, tracer).Tag("grpc.code"); got != "NotFound" {
			t.Errorf("code %v", got)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cs, tracer := startInProcess(t, ctx)
		cancel()
		if got := only(t, tracer).Tag("grpc.code"); got != "Canceled" {
			t.Errorf("code %v", got)
		}
		runtime.KeepAlive(cs)
	})
	t.Run("abandoned", func(t *testing.T) {
		cs, tracer := startInProcess(t, context.Background())
		cs.CloseSend()
		cs = nil
		for range 3 {
			runtime.GC()
		}
		if got := only(t, tracer).Tag("grpc.code"); got != "Canceled" {
			t.Errorf("code %v", got)
		}
	})
	t.Run("unary", func(t *testing.T) {
		tracer := spantest.New(t)
		invoker := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
			return errDetailed
		}
		if err := grpcmw.UnaryClientInterceptor(tracer)(t.Context(), testsvc.Say, nil, nil, nil, invoker); err != errDetailed {
			t.Fatal(err)
		}
		only(t, tracer)
	})
}

// TestAStreamGivenUpLeavesTheOtherToGoOn opens two streams for one call and gives up one while the other goes on.
func TestAStreamGivenUpLeavesTheOtherToGoOn(t *testing.T) {
	lost := make(chan error, 1)
	var giveUp func()
	hedge := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		var loser context.Context
		loser, giveUp = context.WithCancel(ctx)
		if _, err := streamer(loser, desc, cc, method, append(slices.Clone(opts), grpc.OnFinish(func(err error) { lost <- err }))...); err != nil {
			return nil, err
		}
		return streamer(ctx, desc, cc, method, opts...)
	}
	tracer := spantest.New(t)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, append(grpcmw.DialOptions(tracer), grpc.WithChainStreamInterceptor(hedge)))
	cs := open(t, t.Context(), cc, testsvc.Chat)
	giveUp()
	<-lost
	cs.SendMsg(testsvc.Text("x"))
	cs.CloseSend()
	if n, err := receiveAll(cs); n != 1 || err != io.EOF {
		t.Fatal(n, err)
	}
	if span := only(t, tracer); span.Tag("rpc.grpc.status_code") != 0 || span.Tag("rpc.messages.received") != 1 {
		t.Errorf("tags %v", span.Tags())
	}
}

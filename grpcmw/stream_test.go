package grpcmw_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

func open(t *testing.T, ctx context.Context, cc *grpc.ClientConn, method string) grpc.ClientStream {
	t.Helper()
	cs, err := cc.NewStream(ctx, testsvc.StreamDesc(method), method)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

// connect waits for the connection, so that a short deadline ends the RPC and not its start.
func connect(t *testing.T, cc *grpc.ClientConn) {
	t.Helper()
	cc.Connect()
	for s := cc.GetState(); s != connectivity.Ready; s = cc.GetState() {
		if !cc.WaitForStateChange(t.Context(), s) {
			t.Fatal("not connected")
		}
	}
}

func receiveAll(cs grpc.ClientStream) (n int, err error) {
	for {
		if err = cs.RecvMsg(new(testsvc.Msg)); err != nil {
			return n, err
		}
		n++
	}
}

// holding is a server whose streams answer one message to each that comes and end with the client's context.
func holding() *testsvc.Server {
	return &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
		for ss.RecvMsg(new(testsvc.Msg)) == nil {
			if err := ss.SendMsg(testsvc.Text("x")); err != nil {
				return err
			}
		}
		<-ss.Context().Done()
		return status.FromContextError(ss.Context().Err()).Err()
	}}
}

// TestClientStreamEndsOnceWithTheTrueStatus goes through all the ways a client stream ends. spantest fails the test
// if a span is not finished exactly once.
func TestClientStreamEndsOnceWithTheTrueStatus(t *testing.T) {
	unavailable := status.Error(codes.Unavailable, "try later")
	for _, tt := range []struct {
		name   string
		server *testsvc.Server
		use    func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn)
		want   codes.Code
	}{
		{"received to the end", nil, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Repeat)
			cs.SendMsg(testsvc.Text("abc"))
			cs.CloseSend()
			receiveAll(cs)
		}, codes.OK},
		{"error after messages", failing(unavailable), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Chat)
			cs.SendMsg(testsvc.Text("abc"))
			receiveAll(cs)
		}, codes.Unavailable},
		{"cancelled before the first message", holding(), func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn) {
			open(t, ctx, cc, testsvc.Chat)
			cancel()
		}, codes.Canceled},
		{"cancelled after messages", holding(), func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Chat)
			cs.SendMsg(testsvc.Text("abc"))
			cs.RecvMsg(new(testsvc.Msg))
			cancel()
		}, codes.Canceled},
		{"cancelled after the end", nil, func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Chat)
			cs.CloseSend()
			receiveAll(cs)
			cancel()
		}, codes.OK},
		{"deadline", holding(), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			connect(t, cc)
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			t.Cleanup(cancel)
			receiveAll(open(t, ctx, cc, testsvc.Chat))
		}, codes.DeadlineExceeded},
		{"deadline, never received", holding(), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			connect(t, cc)
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			t.Cleanup(cancel)
			open(t, ctx, cc, testsvc.Chat)
		}, codes.DeadlineExceeded},
		{"half-closed and cancelled", holding(), func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn) {
			open(t, ctx, cc, testsvc.Chat).CloseSend()
			cancel()
		}, codes.Canceled},
		{"one answer", nil, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Collect)
			cs.SendMsg(testsvc.Text("a"))
			cs.CloseSend()
			if err := cs.RecvMsg(new(testsvc.Msg)); err != nil {
				t.Error(err)
			}
		}, codes.OK},
		{"connection closed", holding(), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			open(t, ctx, cc, testsvc.Chat)
			cc.Close()
		}, codes.Canceled},
		{"send meets the end", failing(unavailable), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Chat)
			for {
				if err := cs.SendMsg(testsvc.Text("abc")); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			receiveAll(cs)
		}, codes.Unavailable},
		{"unimplemented, by send", nil, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, "/nope.Nope/Nope")
			for cs.SendMsg(testsvc.Text("abc")) == nil {
			}
			receiveAll(cs)
		}, codes.Unimplemented},
		{"message too large to send", holding(), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat, grpc.MaxCallSendMsgSize(4))
			if err != nil {
				t.Fatal(err)
			}
			cs.SendMsg(testsvc.Text(strings.Repeat("x", 100)))
		}, codes.ResourceExhausted},
		{"more than one answer", &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
			ss.SendMsg(testsvc.Text("1"))
			return ss.SendMsg(testsvc.Text("2"))
		}}, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Collect)
			cs.CloseSend()
			if err := cs.RecvMsg(new(testsvc.Msg)); status.Code(err) == codes.OK {
				t.Error("no error")
			}
		}, moreThanOneAnswer},
		{"no answer, headers first", &testsvc.Server{Stream: func(string, grpc.ServerStream) error { return nil }}, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Collect)
			cs.Header()
			if err := cs.RecvMsg(new(testsvc.Msg)); err == nil {
				t.Error("no error")
			}
		}, codes.Internal},
		{"received past the end", nil, func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			cs := open(t, ctx, cc, testsvc.Chat)
			cs.CloseSend()
			for range 3 {
				receiveAll(cs)
			}
		}, codes.OK},
		{"could not open", nil, func(t *testing.T, ctx context.Context, cancel func(), cc *grpc.ClientConn) {
			cancel()
			if _, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat); err == nil {
				t.Error("opened")
			}
		}, codes.Canceled},
	} {
		for name, below := range map[string][]grpc.DialOption{
			"straight": nil,
			"wrapped":  {grpc.WithChainStreamInterceptor(wrapping)},
			"retry":    {grpc.WithChainStreamInterceptor(harmlessRetry)},
		} {
			network := testsvc.Bufconn
			if name == "straight" {
				network = testsvc.TCP
			}
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel() // some wait for the grace time
				tracer := spantest.New(t)
				cc := testsvc.Start(t, network, tt.server, nil, append(grpcmw.DialOptions(tracer), below...))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				tt.use(t, ctx, cancel, cc)
				span := only(t, tracer)
				if got := span.Tag("rpc.grpc.status_code"); got != int(tt.want) {
					t.Errorf("status %v, want %v; tags %v", got, tt.want, span.Tags())
				}
				if failed := tt.want != codes.OK && tt.want != codes.Canceled; (span.Tag("error") == true) != failed {
					t.Errorf("error=%v, want %v", span.Tag("error"), failed)
				}
			})
		}
	}
}

// harmlessRetry is go-grpc-middleware's retry for streams of which a client sends one message.
func harmlessRetry(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if desc.ClientStreams {
		return streamer(ctx, desc, cc, method, opts...)
	}
	return retry.StreamClientInterceptor(retry.WithMax(2))(ctx, desc, cc, method, streamer, opts...)
}

func only(t *testing.T, tracer *spantest.Tracer) *mocktracer.MockSpan {
	t.Helper()
	spans := tracer.Finished()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1: %v", len(spans), spans)
	}
	return spans[0]
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
				var attempts atomic.Int32
				arrived := make(chan any, 3) // the number of each attempt, as its metadata says
				flaky := &testsvc.Server{
					Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
						arrived <- attemptIn(ctx)
						if attempts.Add(1) < 3 {
							return nil, status.Error(codes.Unavailable, "not yet")
						}
						return in, nil
					},
					Stream: func(_ string, ss grpc.ServerStream) error {
						ss.RecvMsg(new(testsvc.Msg))
						arrived <- attemptIn(ss.Context())
						if attempts.Add(1) < 3 {
							return status.Error(codes.Unavailable, "not yet")
						}
						ss.SendMsg(testsvc.Text("a"))
						return ss.SendMsg(testsvc.Text("b"))
					},
				}
				cc := testsvc.Start(t, testsvc.Bufconn, flaky, grpcmw.ServerOptions(server), append(grpcmw.DialOptions(client), below...))
				if method == testsvc.Say {
					if err := cc.Invoke(t.Context(), method, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
						t.Fatal(err)
					}
				} else {
					cs := open(t, t.Context(), cc, method)
					cs.SendMsg(testsvc.Text("x"))
					cs.CloseSend()
					if n, err := receiveAll(cs); n != 2 || err != io.EOF {
						t.Fatalf("%d messages and %v", n, err)
					}
					if got := only(t, client).Tag("rpc.messages.received"); got != 2 {
						t.Errorf("%v messages received, want 2", got)
					}
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

func TestChannelsWithoutAConnection(t *testing.T) {
	start := func(t *testing.T, ctx context.Context, answers ...error) (grpc.ClientStream, *spantest.Tracer) {
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
	t.Run("end", func(t *testing.T) {
		cs, tracer := start(t, t.Context(), nil, nil, io.EOF)
		if n, err := receiveAll(cs); n != 2 || err != io.EOF {
			t.Fatal(n, err)
		}
		if got := only(t, tracer).Tag("rpc.messages.received"); got != 2 {
			t.Errorf("received %v", got)
		}
	})
	t.Run("error", func(t *testing.T) {
		cs, tracer := start(t, t.Context(), errDetailed)
		if _, err := receiveAll(cs); err != errDetailed {
			t.Fatal(err)
		}
		if got := only(t, tracer).Tag("grpc.code"); got != "NotFound" {
			t.Errorf("code %v", got)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cs, tracer := start(t, ctx)
		cancel()
		if got := only(t, tracer).Tag("grpc.code"); got != "Canceled" {
			t.Errorf("code %v", got)
		}
		runtime.KeepAlive(cs)
	})
	t.Run("abandoned", func(t *testing.T) {
		cs, tracer := start(t, context.Background())
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

// TestSuccessIsNotACancel ends streams and cancels at once, many times.
func TestSuccessIsNotACancel(t *testing.T) {
	tracer := spantest.New(t)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, append(grpcmw.DialOptions(tracer), grpc.WithChainStreamInterceptor(wrapping)))
	const n = 1000
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		cs := open(t, ctx, cc, testsvc.Chat)
		cs.CloseSend()
		receiveAll(cs)
		cancel()
	}
	spans := tracer.Finished()
	if len(spans) != n {
		t.Fatalf("%d spans", len(spans))
	}
	for _, s := range spans {
		if s.Tag("rpc.grpc.status_code") != 0 {
			t.Fatalf("tags %v", s.Tags())
		}
	}
}

// TestSpanCoversTheStream wants the client's span to last until the last message is received.
func TestSpanCoversTheStream(t *testing.T) {
	release := make(chan struct{})
	tracer := spantest.New(t)
	srv := &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
		ss.RecvMsg(new(testsvc.Msg))
		<-release
		return ss.SendMsg(testsvc.Text("late"))
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, nil, grpcmw.DialOptions(tracer))
	cs := open(t, t.Context(), cc, testsvc.Repeat)
	cs.SendMsg(testsvc.Text("x"))
	cs.CloseSend()
	before := time.Now()
	close(release)
	receiveAll(cs)
	if s := only(t, tracer); s.FinishTime.Before(before) {
		t.Error("the span ended at CloseSend")
	}
}

// TestStreamersThatGiveNothing has a fake that returns neither a stream nor an error.
func TestStreamersThatGiveNothing(t *testing.T) {
	tracer := spantest.New(t)
	nothing := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return nil, nil
	}
	cs, err := grpcmw.StreamClientInterceptor(tracer)(t.Context(), testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat, nothing)
	if cs != nil || err != nil {
		t.Errorf("got %v and %v", cs, err)
	}
	only(t, tracer)
}

// TestHedgedStreams opens two streams for one call and gives up one while the other goes on.
func TestHedgedStreams(t *testing.T) {
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

// TestDroppedStreams collects streams that nobody holds: they end by their deadline, or when they are collected.
func TestDroppedStreams(t *testing.T) {
	for name, below := range map[string][]grpc.DialOption{"straight": nil, "wrapped": {grpc.WithChainStreamInterceptor(wrapping)}} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, holding(), nil, append(grpcmw.DialOptions(tracer), below...))
			connect(t, cc)
			started := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			open(t, ctx, cc, testsvc.Chat)
			for time.Since(started) < 40*time.Millisecond {
				runtime.GC()
			}
			if span := only(t, tracer); span.Tag("grpc.code") != "DeadlineExceeded" {
				t.Errorf("tags %v", span.Tags())
			}
			open(t, context.Background(), cc, testsvc.Chat)
			for range 3 {
				runtime.GC()
			}
			spans := tracer.Finished()
			if len(spans) != 2 || spans[1].Tag("grpc.code") != "Canceled" {
				t.Errorf("%d spans", len(spans))
			}
		})
	}
}

// TestReceivesThatPanic ends a call by its context after a codec has panicked.
func TestReceivesThatPanic(t *testing.T) {
	tracer := spantest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	cs, err := grpcmw.StreamClientInterceptor(tracer)(ctx, testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return &panickingStream{}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if r := recover(); r != "codec" {
				t.Errorf("recovered %v", r)
			}
		}()
		cs.RecvMsg(nil)
	}()
	cancel()
	if got := only(t, tracer).Tag("grpc.code"); got != "Canceled" {
		t.Errorf("code %v", got)
	}
	runtime.KeepAlive(cs)
}

type panickingStream struct{ grpc.ClientStream }

func (*panickingStream) RecvMsg(any) error { panic("codec") }

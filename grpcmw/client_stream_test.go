package grpcmw_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/peer"

	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
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

// deadline is a context whose deadline passes when a test says so, so that it never ends the start of an RPC on a slow
// machine.
type deadline struct {
	context.Context
	passed chan struct{}
}

func newDeadline(parent context.Context) deadline { return deadline{parent, make(chan struct{})} }

func (d deadline) pass()                       { close(d.passed) }
func (d deadline) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }
func (d deadline) Done() <-chan struct{}       { return d.passed }
func (d deadline) Err() error {
	select {
	case <-d.passed:
		return context.DeadlineExceeded
	default:
		return nil
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
			over := newDeadline(ctx)
			cs := open(t, over, cc, testsvc.Chat)
			go over.pass()
			receiveAll(cs)
		}, codes.DeadlineExceeded},
		{"deadline, never received", holding(), func(t *testing.T, ctx context.Context, _ func(), cc *grpc.ClientConn) {
			over := newDeadline(ctx)
			open(t, over, cc, testsvc.Chat)
			over.pass()
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

// only returns the only finished span. It fails the test if anything has panicked and was recovered: what no test
// expects to panic is a defect of the kit.
func only(t *testing.T, tracer *spantest.Tracer) *mocktracer.MockSpan {
	t.Helper()
	span := onlyDespitePanics(t, tracer)
	if n := span.Tag("spanloom.hook_panics"); n != nil {
		t.Errorf("%v panics are hidden: %v", n, span)
	}
	return span
}

// onlyDespitePanics returns the only finished span of a test in which hooks, tracers or errors panic.
func onlyDespitePanics(t *testing.T, tracer *spantest.Tracer) *mocktracer.MockSpan {
	t.Helper()
	spans := tracer.Finished()
	if len(spans) != 1 {
		t.Fatalf("%d spans, want 1: %v", len(spans), spans)
	}
	return spans[0]
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

// TestDroppedStreamsEnd collects streams that nobody holds: they end by their deadline, or when they are collected.
func TestDroppedStreamsEnd(t *testing.T) {
	for name, below := range map[string][]grpc.DialOption{"straight": nil, "wrapped": {grpc.WithChainStreamInterceptor(wrapping)}} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, holding(), nil, append(grpcmw.DialOptions(tracer), below...))
			over := newDeadline(t.Context())
			open(t, over, cc, testsvc.Chat)
			for range 10 {
				runtime.GC()
			}
			over.pass()
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

// failingStream is a stream with a peer whose calls fail.
type failingStream struct {
	grpc.ClientStream
	ctx context.Context
}

func (s *failingStream) Context() context.Context { return s.ctx }
func (s *failingStream) Trailer() metadata.MD     { return metadata.Pairs("x-trace-id", "1") }
func (s *failingStream) Header() (metadata.MD, error) {
	return nil, status.Error(codes.Internal, "header")
}
func (s *failingStream) SendMsg(any) error { return status.Error(codes.Internal, "send") }
func (s *failingStream) RecvMsg(any) error { return status.Error(codes.Internal, "receive") }

// TestCallsThatFailTogether has several goroutines learn of the end of a stream at the same time.
func TestCallsThatFailTogether(t *testing.T) {
	tracer := spantest.New(t)
	ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}})
	intercept := grpcmw.StreamClientInterceptor(tracer, grpcmw.WithTraceIDTrailer("x-trace-id"))
	for range 100 {
		cs, err := intercept(t.Context(), testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat, func(
			context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption,
		) (grpc.ClientStream, error) {
			return &failingStream{ctx: ctx}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { cs.SendMsg(nil) })
		wg.Go(func() { cs.RecvMsg(nil) })
		wg.Go(func() { cs.RecvMsg(nil) })
		wg.Go(func() { cs.Header() })
		wg.Wait()
	}
	if n := len(tracer.Finished()); n != 100 {
		t.Errorf("%d spans, want 100", n)
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

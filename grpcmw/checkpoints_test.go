package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// slowly is a server's end of a stream that takes its time: a second before its first message, two before its second,
// ten before its end. It is a client's end, too, which gets what that server sends.
type slowly struct {
	grpc.ServerStream
	grpc.ClientStream
	ctx      context.Context
	received int
}

func (s *slowly) Context() context.Context { return s.ctx }
func (s *slowly) SendMsg(any) error        { return nil }
func (s *slowly) RecvMsg(any) error {
	waits := []time.Duration{time.Second, 2 * time.Second, 10 * time.Second}
	time.Sleep(waits[s.received])
	if s.received++; s.received == len(waits) {
		return io.EOF
	}
	return nil
}

// runSlowly serves the stream, or calls it.
func runSlowly(tracer *spantest.Tracer, client bool, opts ...grpcmw.Option) {
	s := &slowly{ctx: context.Background()}
	if !client {
		var options []grpcmw.ServerOption
		for _, o := range opts {
			options = append(options, o)
		}
		grpcmw.StreamServerInterceptor(tracer, options...)(nil, s, &grpc.StreamServerInfo{FullMethod: testsvc.Repeat, IsServerStream: true},
			func(_ any, ss grpc.ServerStream) error {
				for s.RecvMsg(nil) == nil {
					ss.SendMsg(nil)
				}
				return nil
			})
		return
	}
	var options []grpcmw.ClientOption
	for _, o := range opts {
		options = append(options, o)
	}
	streamer := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return s, nil
	}
	cs, _ := grpcmw.StreamClientInterceptor(tracer, options...)(s.ctx, testsvc.StreamDesc(testsvc.Repeat), nil, testsvc.Repeat, streamer)
	for cs.RecvMsg(nil) == nil {
	}
}

func TestOpenStreamsMakeCheckpoints(t *testing.T) {
	for side, client := range map[string]bool{"server": false, "client": true} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tracer := spantest.New(t)
				began := time.Now()
				runSlowly(tracer, client, grpcmw.WithCheckpoints(4*time.Second))
				time.Sleep(time.Minute)

				spans := tracer.Finished()
				if len(spans) != 4 {
					t.Fatalf("%d spans, want the stream and three checkpoints of its 13 s", len(spans))
				}
				stream := spans[3]
				for i, s := range spans[:3] {
					if s.OperationName != testsvc.Repeat+" checkpoint" || s.ParentID != stream.SpanContext.SpanID {
						t.Errorf("%q below %d", s.OperationName, s.ParentID)
					}
					start, end := s.StartTime.Sub(began), s.FinishTime.Sub(began)
					if want := time.Duration(4*i) * time.Second; start != want || end != want+4*time.Second {
						t.Errorf("checkpoint %d lasts from %v to %v", i, start, end)
					}
					if got := fmt.Sprintln(s.Tag("rpc.messages.sent"), s.Tag("rpc.messages.received"), s.Tag("rpc.system")); got != map[bool]string{
						false: "2 0 grpc\n", true: "0 2 grpc\n",
					}[client] {
						t.Errorf("checkpoint %d tells %s", i, got)
					}
				}
				if got := stream.Tag("grpc.first_message_ms"); got != 1000.0 {
					t.Errorf("the first message came after %v ms", got)
				}
			})
		})
	}
}

// A checkpoint that is due just when the stream ends comes before the end or not at all.
func TestNoCheckpointAfterTheEnd(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			tracer := spantest.New(t)
			runSlowly(tracer, false, grpcmw.WithCheckpoints(time.Second))
			ended := len(tracer.Finished())
			time.Sleep(time.Minute)
			if n := len(tracer.Finished()); n != ended || n < 13 || n > 14 {
				t.Errorf("%d spans at the end of 13 s, %d a minute later", ended, n)
			}
		})
	}
}

func TestOnlyOpenStreamsMakeCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := spantest.New(t)
		for _, every := range []time.Duration{0, -time.Second, time.Hour} {
			runSlowly(tracer, false, grpcmw.WithCheckpoints(every))
			runSlowly(tracer, true, grpcmw.WithCheckpoints(every))
		}
		grpcmw.UnaryServerInterceptor(tracer, grpcmw.WithCheckpoints(time.Second))(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) {
			time.Sleep(time.Minute)
			return nil, nil
		})
		streamer := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return nil, errors.New("refused")
		}
		grpcmw.StreamClientInterceptor(tracer, grpcmw.WithCheckpoints(time.Second))(t.Context(), testsvc.StreamDesc(testsvc.Repeat), nil, testsvc.Repeat, streamer)
		time.Sleep(time.Hour)
		if n := len(tracer.Finished()); n != 8 {
			t.Errorf("%d spans, want 8 without any checkpoint", n)
		}
	})
}

func TestFirstMessageIsOfTheAnswer(t *testing.T) {
	for _, tt := range []struct {
		method string
		has    bool
	}{{testsvc.Repeat, true}, {testsvc.Chat, true}, {testsvc.Say, false}} {
		t.Run(tt.method, func(t *testing.T) {
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, nil, grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer))
			if tt.method == testsvc.Say {
				cc.Invoke(t.Context(), tt.method, testsvc.Text("x"), new(testsvc.Msg))
			} else {
				cs := open(t, t.Context(), cc, tt.method)
				cs.SendMsg(testsvc.Text("x"))
				cs.CloseSend()
				receiveAll(cs)
			}
			for _, s := range tracer.Finished() {
				ms, has := s.Tag("grpc.first_message_ms").(float64)
				if lasted := float64(s.FinishTime.Sub(s.StartTime)) / 1e6; has != tt.has || ms < 0 || ms > lasted {
					t.Errorf("%s %v: first message %v after %v ms of %v", tt.method, s.Tag("span.kind"), has, ms, lasted)
				}
			}
		})
	}
}

func TestClientRecordsTheServersTraceID(t *testing.T) {
	const key = "x-trace-id"
	clients := spantest.New(t)
	servers, reporter := engine(t, tracerinit.Always())
	away := grpcmw.WithPropagation(func(context.Context, string) bool { return false })
	cc := testsvc.Start(t, testsvc.Bufconn, failing(errDetailed), grpcmw.ServerOptions(servers, grpcmw.WithTraceIDTrailer(key)),
		grpcmw.DialOptions(clients, grpcmw.WithTraceIDTrailer(key), away))
	if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
	cs := open(t, t.Context(), cc, testsvc.Chat)
	cs.SendMsg(testsvc.Text("x"))
	receiveAll(cs)
	for i, s := range clients.Finished() {
		want := carrier.TraceID(reporter.GetSpans()[i].(*jaeger.Span).SpanContext())
		if got := s.Tag("grpc.server_trace_id"); got != want || want == "" {
			t.Errorf("%s: %v, want %q", s.OperationName, got, want)
		}
	}
}

func TestNoServersTraceIDWithoutOne(t *testing.T) {
	tracer := spantest.New(t)
	silent := testsvc.Start(t, testsvc.Bufconn, failing(errDetailed), nil, grpcmw.DialOptions(tracer, grpcmw.WithTraceIDTrailer("x-trace-id")))
	silent.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	servers, _ := engine(t, tracerinit.Always())
	deaf := testsvc.Start(t, testsvc.Bufconn, failing(errDetailed), grpcmw.ServerOptions(servers, grpcmw.WithTraceIDTrailer("x-trace-id")), grpcmw.DialOptions(tracer))
	deaf.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	for _, s := range tracer.Finished() {
		if got := s.Tag("grpc.server_trace_id"); got != nil {
			t.Errorf("%v from nowhere", got)
		}
	}
	if n := len(tracer.Finished()); n != 2 {
		t.Errorf("%d spans", n)
	}
}

package grpcmw_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
)

// TestMessagesOfAllFailures wants the message of every status but OK on the span, whether or not it is an error, within
// one limit and without secrets.
func TestMessagesOfAllFailures(t *testing.T) {
	for _, conv := range []grpcmw.Semconv{grpcmw.OpenTracing, grpcmw.OTel, grpcmw.Both} {
		for _, tt := range []struct{ code codes.Code }{
			{codes.NotFound}, {codes.Canceled}, {codes.Internal}, {codes.Code(503)},
		} {
			t.Run(fmt.Sprintf("%v of vocabulary %v", tt.code, conv), func(t *testing.T) {
				opt := grpcmw.WithSemconv(conv)
				err := status.Error(tt.code, "no such thing, token=hunter2 "+strings.Repeat("x", 1<<16))
				s, c := callOnce(t, err, []grpcmw.ServerOption{opt}, []grpcmw.ClientOption{opt})
				for side, span := range map[string]*mocktracer.MockSpan{"server": s, "client": c} {
					message, _ := span.Tag("otel.status_description").(string)
					if !strings.HasPrefix(message, "no such thing") || len(message) > 1024 || strings.Contains(message, "hunter2") {
						t.Errorf("%v, %s: message %.80q of %d bytes", tt.code, side, message, len(message))
					}
					if failed := span.Tag("error") == true; failed != (span.Tag("error.type") != nil) {
						t.Errorf("%v, %s: error %v, error.type %v", tt.code, side, failed, span.Tag("error.type"))
					}
					for _, log := range span.Logs() {
						for _, f := range log.Fields {
							if f.Key == "message" && f.ValueString != message {
								t.Errorf("the log says %.80q", f.ValueString)
							}
						}
					}
				}
			})
		}
	}
}

// TestErrorsThatClaimOK are failures of the default policy on both sides.
func TestErrorsThatClaimOK(t *testing.T) {
	s, c := callOnce(t, claimsOK{}, nil, nil)
	for _, span := range []*mocktracer.MockSpan{s, c} {
		if span.Tag("error") != true || span.Tag("rpc.grpc.status_code") != 2 || span.Tag("error.type") != "UNKNOWN" ||
			span.Tag("otel.status_description") != "failed all the same" {
			t.Errorf("tags %v", span.Tags())
		}
	}
}

// TestReceiverIsRight lets a deadline pass between the last message and the end of the stream, which has arrived.
func TestReceiverIsRight(t *testing.T) {
	for name, below := range map[string][]grpc.DialOption{"straight": nil, "wrapped": {grpc.WithChainStreamInterceptor(wrapping)}} {
		for _, end := range []string{"deadline", "cancel"} {
			t.Run(name+"/"+end, func(t *testing.T) {
				tracer := spantest.New(t)
				served := make(chan struct{})
				srv := &testsvc.Server{Stream: func(_ string, ss grpc.ServerStream) error {
					defer close(served)
					return ss.SendMsg(testsvc.Text("last"))
				}}
				cc := testsvc.Start(t, testsvc.Bufconn, srv, nil, append(grpcmw.DialOptions(tracer), below...))
				over := newDeadline(t.Context())
				ctx, cancel := context.WithCancel(over)
				defer cancel()
				cs := open(t, ctx, cc, testsvc.Repeat)
				cs.CloseSend()
				if err := cs.RecvMsg(new(testsvc.Msg)); err != nil {
					t.Fatal(err)
				}
				<-served
				if end == "cancel" {
					cancel()
				} else {
					over.pass()
				}
				<-ctx.Done()
				err := cs.RecvMsg(new(testsvc.Msg)) // io.EOF, or the error of the context if that was faster
				want := status.Code(err)
				if err == io.EOF {
					want = codes.OK
				}
				if span := only(t, tracer); span.Tag("rpc.grpc.status_code") != int(want) {
					t.Errorf("the receiver got %v, the span %v", err, span.Tag("rpc.grpc.status_code"))
				}
			})
		}
	}
}

// TestSlowReceiverIsRight does so without a network: the end has arrived for sure, and the receiver takes its time.
func TestSlowReceiverIsRight(t *testing.T) { synctest.Test(t, slowReceiver) }

func slowReceiver(t *testing.T) {
	tracer := spantest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	script := make(chan error, 2)
	cs, err := grpcmw.StreamClientInterceptor(tracer)(ctx, testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
		func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return &scripted{script: script}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	script <- nil
	script <- io.EOF
	cs.RecvMsg(nil)
	cancel()
	synctest.Wait() // until the interceptor knows
	if err := cs.RecvMsg(nil); err != io.EOF {
		t.Fatal(err)
	}
	if span := only(t, tracer); span.Tag("rpc.grpc.status_code") != 0 || span.Tag("error") != nil {
		t.Errorf("tags %v", span.Tags())
	}
}

// scripted is a stream whose RecvMsg returns the errors of a script.
type scripted struct {
	grpc.ClientStream
	script chan error
}

func (s *scripted) RecvMsg(any) error { return <-s.script }

type oddAddr struct{ network, text string }

func (a oddAddr) Network() string { return a.network }
func (a oddAddr) String() string  { return a.text }

type panickyAddr struct{}

func (panickyAddr) Network() string { panic("network") }
func (panickyAddr) String() string  { panic("address") }

// TestUnnamedPeersHaveNoAddress lists the peers of unix sockets, of connections within the process and of odd
// transports.
func TestUnnamedPeersHaveNoAddress(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		want any
	}{
		{nil, nil}, {&net.UnixAddr{Net: "unix"}, nil}, {&net.UnixAddr{Name: "@", Net: "unix"}, nil}, {(*net.UnixAddr)(nil), nil},
		{&net.UnixAddr{Name: "/run/s.sock", Net: "unix"}, "/run/s.sock"}, {&net.UnixAddr{Name: "@abstract", Net: "unix"}, "@abstract"},
		{oddAddr{"bufconn", "bufconn"}, nil}, {oddAddr{"pipe", "pipe"}, nil}, {oddAddr{"inproc", "0"}, nil}, {oddAddr{"tcp", ""}, nil},
		{oddAddr{"tcp", ":0"}, nil}, {oddAddr{"vsock", "3:1024"}, "3:1024"}, {panickyAddr{}, nil},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, "[::1]:1"}, {(*net.TCPAddr)(nil), nil},
	} {
		t.Run(fmt.Sprintf("%T %v", tt.addr, tt.addr), func(t *testing.T) {
			tracer := spantest.New(t)
			ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: tt.addr})
			grpcmw.UnaryServerInterceptor(tracer, grpcmw.WithSemconv(grpcmw.Both))(ctx, nil, unaryInfo, unaryHandler)
			span := only(t, tracer)
			if got := span.Tag("peer.address"); got != tt.want || tt.want == nil && span.Tag("network.peer.address") != nil {
				t.Errorf("%T %#v: peer.address %v, want %v", tt.addr, tt.addr, got, tt.want)
			}
		})
	}
	s, c := both(t, testsvc.Bufconn, nil, nil, nil, sayHello)
	if s.Tag("peer.address") != nil || c.Tag("peer.address") != nil {
		t.Errorf("bufconn: server %v, client %v", s.Tag("peer.address"), c.Tag("peer.address"))
	}
}

// countingObserver counts tags of unsampled spans, as jaeger-client-go's rpcmetrics does.
type countingObserver struct{ tags map[string]any }

func (o *countingObserver) OnStartSpan(opentracing.Span, string, opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	return o, true
}
func (o *countingObserver) OnSetOperationName(string)          {}
func (o *countingObserver) OnSetTag(key string, value any)     { o.tags[key] = value }
func (o *countingObserver) OnFinish(opentracing.FinishOptions) {}

// TestObserversOfATracer see the outcome of spans that are not sampled.
func TestObserversOfATracer(t *testing.T) {
	for _, err := range []error{nil, status.Error(codes.Unavailable, "down")} {
		t.Run(status.Code(err).String(), func(t *testing.T) {
			o := &countingObserver{tags: map[string]any{}}
			tracer, closer := jaeger.NewTracer("x", jaeger.NewConstSampler(false), jaeger.NewNullReporter(), jaeger.TracerOptions.ContribObserver(o), testspans.Finished(t))
			defer closer.Close()
			grpcmw.UnaryServerInterceptor(tracer)(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) { return nil, err })
			if o.tags["rpc.grpc.status_code"] != int(status.Code(err)) || (o.tags["error"] == true) != (err != nil) {
				t.Errorf("%v: observer saw %v", err, o.tags)
			}
		})
	}
}

// TestAttemptsOfAllRetries reads the keys of gRPC and of both versions of go-grpc-middleware.
func TestAttemptsOfAllRetries(t *testing.T) {
	for _, key := range []string{"grpc-previous-rpc-attempts", "x-retry-attempt", "x-retry-attempty"} {
		t.Run(key, func(t *testing.T) {
			tracer := spantest.New(t)
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(key, "2"))
			grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, unaryInfo, unaryHandler)
			if got := only(t, tracer).Tag("grpc.attempt"); got != 3 {
				t.Errorf("%s: attempt %v, want 3", key, got)
			}
		})
	}
}

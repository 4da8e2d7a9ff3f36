package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/timeout"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/validator"
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
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// orders installs ours and theirs in both orders.
func orders(t *testing.T, ours, theirs []grpc.ServerOption, f func(t *testing.T, server []grpc.ServerOption)) {
	t.Run("ours first", func(t *testing.T) { f(t, slices.Concat(ours, theirs)) })
	t.Run("ours last", func(t *testing.T) { f(t, slices.Concat(theirs, ours)) })
}

func chained(u grpc.UnaryServerInterceptor, s grpc.StreamServerInterceptor) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(u), grpc.ChainStreamInterceptor(s)}
}

func TestRecoveredPanicsAreRecorded(t *testing.T) {
	theirs := chained(recovery.UnaryServerInterceptor(), recovery.StreamServerInterceptor())
	for _, ours := range []bool{true, false} {
		t.Run(fmt.Sprint(ours), func(t *testing.T) {
			tracer := spantest.New(t)
			server := slices.Concat(theirs, grpcmw.ServerOptions(tracer))
			if ours {
				server = slices.Concat(grpcmw.ServerOptions(tracer), theirs)
			}
			srv := &testsvc.Server{
				Say:    func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { explode("boom"); return nil, nil },
				Stream: func(string, grpc.ServerStream) error { explode("boom"); return nil },
			}
			cc := testsvc.Start(t, testsvc.Bufconn, srv, server, nil)
			if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.Unknown {
				t.Error(err)
			}
			if _, err := receiveAll(open(t, t.Context(), cc, testsvc.Chat)); status.Code(err) != codes.Unknown {
				t.Error(err)
			}
			for _, span := range tracer.Finished() {
				if ours { // the span sees what recovery made of the panic
					if span.Tag("error") != true || span.Tag("grpc.code") != "Unknown" {
						t.Errorf("tags %v", span.Tags())
					}
					continue
				}
				checkPanic(t, "inside recovery", span)
			}
			if n := len(tracer.Finished()); n != 2 {
				t.Errorf("%d spans", n)
			}
		})
	}
}

func TestBesideSelectorAndValidator(t *testing.T) {
	tracer := spantest.New(t)
	only := selector.MatchFunc(func(_ context.Context, m interceptors.CallMeta) bool { return m.Method == "Say" })
	theirs := slices.Concat(
		chained(selector.UnaryServerInterceptor(denyUnary, only), selector.StreamServerInterceptor(denyStream, only)),
		chained(validator.UnaryServerInterceptor(), validator.StreamServerInterceptor()),
	)
	orders(t, grpcmw.ServerOptions(tracer), theirs, func(t *testing.T, server []grpc.ServerOption) {
		cc := testsvc.Start(t, testsvc.Bufconn, nil, server, nil)
		before := len(tracer.Finished())
		if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.PermissionDenied {
			t.Error(err)
		}
		tr := &transcript{}
		tr.stream(t.Context(), cc, testsvc.Chat, "a")
		spans := tracer.Finished()[before:]
		want := 2
		if t.Name() == "TestBesideSelectorAndValidator/ours_last" {
			want = 1 // what is refused before us is not seen
		}
		if len(spans) != want {
			t.Fatalf("%d spans, want %d", len(spans), want)
		}
		if want == 2 && spans[0].Tag("grpc.code") != "PermissionDenied" {
			t.Errorf("tags %v", spans[0].Tags())
		}
	})
}

// invalid is a request that does not validate, for interceptors called without a network.
type invalid struct{}

func (invalid) Validate() error { return errors.New("not valid") }

func TestRefusalsOfAValidatorAreRecorded(t *testing.T) {
	tracer := spantest.New(t)
	ours, theirs := grpcmw.UnaryServerInterceptor(tracer), validator.UnaryServerInterceptor()
	_, err := ours(t.Context(), invalid{}, unaryInfo, func(ctx context.Context, req any) (any, error) {
		return theirs(ctx, req, unaryInfo, unaryHandler)
	})
	if span := only(t, tracer); status.Code(err) != codes.InvalidArgument || span.Tag("grpc.code") != "InvalidArgument" || span.Tag("error") != nil {
		t.Errorf("%v with %v", err, span.Tags())
	}
	refused := spantest.New(t) // before ours, so there is no span
	_, err = theirs(t.Context(), invalid{}, unaryInfo, func(ctx context.Context, req any) (any, error) {
		return grpcmw.UnaryServerInterceptor(refused)(ctx, req, unaryInfo, unaryHandler)
	})
	if n := len(refused.Finished()); status.Code(err) != codes.InvalidArgument || n != 0 {
		t.Errorf("%v with %d spans", err, n)
	}
	client := spantest.New(t)
	err = grpcmw.UnaryClientInterceptor(client)(t.Context(), testsvc.Say, invalid{}, nil, nil,
		func(ctx context.Context, m string, req, reply any, cc *grpc.ClientConn, opts ...grpc.CallOption) error {
			return validator.UnaryClientInterceptor()(ctx, m, req, reply, cc, nil, opts...)
		})
	if span := only(t, client); status.Code(err) != codes.InvalidArgument || span.Tag("error") != true {
		t.Errorf("%v with %v", err, span.Tags())
	}
}

func TestTimeoutsOfOtherInterceptorsAreRecorded(t *testing.T) {
	srv := &testsvc.Server{Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	theirs := grpc.WithChainUnaryInterceptor(timeout.UnaryClientInterceptor(20 * time.Millisecond))
	for name, dial := range map[string]func(ours []grpc.DialOption) []grpc.DialOption{
		"ours first": func(ours []grpc.DialOption) []grpc.DialOption { return append(ours, theirs) },
		"ours last":  func(ours []grpc.DialOption) []grpc.DialOption { return append([]grpc.DialOption{theirs}, ours...) },
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			cc := testsvc.Start(t, testsvc.Bufconn, srv, nil, dial(grpcmw.DialOptions(tracer)))
			if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("%s: %v", name, err)
			}
			if span := only(t, tracer); span.Tag("grpc.code") != "DeadlineExceeded" || span.Tag("error") != true {
				t.Errorf("%s: tags %v", name, span.Tags())
			}
		})
	}
	server := spantest.New(t)
	cc := testsvc.Start(t, testsvc.Bufconn, srv, grpcmw.ServerOptions(server), []grpc.DialOption{theirs})
	cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	if span := only(t, server); span.Tag("grpc.timeout_ms") == nil {
		t.Errorf("tags %v", span.Tags())
	}
}

// TestInsideRetryThereIsASpanForEachAttempt puts a retrying interceptor outside ours.
func TestInsideRetryThereIsASpanForEachAttempt(t *testing.T) {
	tracer := spantest.New(t)
	outer := []retry.CallOption{retry.WithMax(3), retry.WithCodes(codes.Unavailable), retry.WithBackoff(retry.BackoffLinear(time.Millisecond))}
	dial := append([]grpc.DialOption{
		grpc.WithChainUnaryInterceptor(retry.UnaryClientInterceptor(outer...)),
		grpc.WithChainStreamInterceptor(retry.StreamClientInterceptor(outer...)),
	}, grpcmw.DialOptions(tracer)...)
	no := status.Error(codes.Unavailable, "no")
	srv := &testsvc.Server{
		Say:    func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { return nil, no },
		Stream: func(_ string, ss grpc.ServerStream) error { ss.RecvMsg(new(testsvc.Msg)); return no },
	}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, nil, dial)
	cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
	spans := tracer.Finished()
	if len(spans) != 3 {
		t.Fatalf("%d spans for 3 attempts", len(spans))
	}
	for i, want := range []any{nil, 2, 3} {
		if got := spans[i].Tag("grpc.attempt"); got != want {
			t.Errorf("attempt %v, want %v", got, want)
		}
	}
	cs := open(t, t.Context(), cc, testsvc.Repeat)
	cs.SendMsg(testsvc.Text("x"))
	cs.CloseSend()
	if err := cs.RecvMsg(new(testsvc.Msg)); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
	if n := len(tracer.Finished()); n != 6 {
		t.Errorf("%d spans for 6 attempts", n)
	}
}

func TestLogFieldsCarryTheIDsOfTheSpan(t *testing.T) {
	if got := grpcmw.LogFields(t.Context()); got != nil {
		t.Errorf("fields without a span: %v", got)
	}
	tracer, reporter := engine(t, tracerinit.Always())
	var mu sync.Mutex
	var lines []logging.Fields
	logger := logging.LoggerFunc(func(_ context.Context, _ logging.Level, _ string, fields ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fields)
	})
	opt := logging.WithFieldsFromContext(grpcmw.LogFields)
	theirs := chained(logging.UnaryServerInterceptor(logger, opt), logging.StreamServerInterceptor(logger, opt))
	below := []grpc.DialOption{grpc.WithChainUnaryInterceptor(logging.UnaryClientInterceptor(logger, opt)),
		grpc.WithChainStreamInterceptor(logging.StreamClientInterceptor(logger, opt))}
	cc := testsvc.Start(t, testsvc.Bufconn, nil, slices.Concat(grpcmw.ServerOptions(tracer), theirs), slices.Concat(grpcmw.DialOptions(tracer), below))
	all(t.Context(), &transcript{}, cc)
	eventually(func() bool { return len(reporter.GetSpans()) == 8 })
	known := map[string]bool{}
	for _, s := range reporter.GetSpans() {
		known[carrier.SpanID(s.(*jaeger.Span).SpanContext())] = true
	}
	mu.Lock()
	logged := slices.Clone(lines)
	mu.Unlock()
	if len(logged) < 8 {
		t.Errorf("%d lines", len(logged))
	}
	for _, line := range logged {
		i := slices.Index(line, any("trace_id"))
		if i < 0 || line[i+2] != "span_id" || !known[line[i+3].(string)] || line[i+4] != "sampled" || line[i+5] != true {
			t.Errorf("line %v", line)
		}
	}

	// In the other order it still works, but without a trace: it is logged before there is one.
	orders(t, grpcmw.ServerOptions(tracer), theirs, func(t *testing.T, server []grpc.ServerOption) {
		cc := testsvc.Start(t, testsvc.Bufconn, nil, server, nil)
		if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Error(err)
		}
	})
}

// TestAHedgedCallHasOneSpan runs a call twice at once below ours, as hedging interceptors do, and takes the first answer.
func TestAHedgedCallHasOneSpan(t *testing.T) {
	hedge := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- invoker(ctx, method, req, new(testsvc.Msg), cc, opts...) }()
		}
		return <-results
	}
	tracer := spantest.New(t)
	cc := testsvc.Start(t, testsvc.TCP, nil, nil, append(grpcmw.DialOptions(tracer), grpc.WithChainUnaryInterceptor(hedge)))
	for range 50 {
		if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(tracer.Finished()); n != 50 {
		t.Errorf("%d spans", n)
	}
}

// TestInnerInterceptorsSeeTheSpan wants the client's span in the context of what comes below it.
func TestInnerInterceptorsSeeTheSpan(t *testing.T) {
	tracer := spantest.New(t)
	var seen []opentracing.Span
	unary := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		seen = append(seen, opentracing.SpanFromContext(ctx))
		return invoker(ctx, method, req, reply, cc, opts...)
	}
	stream := func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		seen = append(seen, opentracing.SpanFromContext(ctx))
		return streamer(ctx, desc, cc, method, opts...)
	}
	cc := testsvc.Start(t, testsvc.Bufconn, nil, nil, append(grpcmw.DialOptions(tracer), grpc.WithChainUnaryInterceptor(unary), grpc.WithChainStreamInterceptor(stream)))
	all(t.Context(), &transcript{}, cc)
	ids := map[int]bool{}
	for _, s := range seen {
		ids[s.Context().(mocktracer.MockSpanContext).SpanID] = true
	}
	if len(ids) != 4 || len(tracer.Finished()) != 4 {
		t.Errorf("%d spans seen, %d finished", len(ids), len(tracer.Finished()))
	}
}

// TestErrorsPassByIdentity sends errors through all four interceptors and both stream wrappers unchanged.
func TestErrorsPassByIdentity(t *testing.T) {
	for _, err := range []error{io.EOF, errPlain, errDetailed, fmt.Errorf("wrapped: %w", errDetailed), context.Canceled} {
		t.Run(err.Error(), func(t *testing.T) {
			callOnce(t, err, nil, nil)
			tracer := spantest.New(t)
			server := grpcmw.StreamServerInterceptor(tracer)
			got := server(tracer, &brokenStream{ctx: t.Context(), err: err}, chatInfo, func(_ any, ss grpc.ServerStream) error {
				if e := ss.SendMsg(nil); e != err {
					t.Errorf("SendMsg gave %v for %v", e, err)
				}
				return ss.RecvMsg(nil)
			})
			if got != err {
				t.Errorf("the server gave %v for %v", got, err)
			}
			cs, e := grpcmw.StreamClientInterceptor(tracer)(t.Context(), testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
				func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
					return &brokenClientStream{err: err}, nil
				})
			if e != nil {
				t.Fatal(e)
			}
			if _, h := cs.Header(); h != err {
				t.Errorf("Header gave %v for %v", h, err)
			}
			if s, r := cs.SendMsg(nil), cs.RecvMsg(nil); s != err || r != err {
				t.Errorf("the client gave %v and %v for %v", s, r, err)
			}
		})
	}
}

type brokenStream struct {
	grpc.ServerStream
	ctx context.Context
	err error
}

func (s *brokenStream) Context() context.Context { return s.ctx }
func (s *brokenStream) SendMsg(any) error        { return s.err }
func (s *brokenStream) RecvMsg(any) error        { return s.err }

type brokenClientStream struct {
	grpc.ClientStream
	err error
}

func (s *brokenClientStream) Header() (metadata.MD, error) { return nil, s.err }
func (s *brokenClientStream) SendMsg(any) error            { return s.err }
func (s *brokenClientStream) RecvMsg(any) error            { return s.err }

func denyUnary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.PermissionDenied, "no")
}

func denyStream(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
	return status.Error(codes.PermissionDenied, "no")
}

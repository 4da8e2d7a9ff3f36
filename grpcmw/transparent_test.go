package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// transcript is everything that a client and a server see of an RPC.
type transcript struct{ lines []string }

func (tr *transcript) add(format string, args ...any) {
	tr.lines = append(tr.lines, fmt.Sprintf(format, args...))
}

func (tr *transcript) err(what string, err error) {
	s, _ := status.FromError(err)
	tr.add("%s: %v %T %v %v", what, err, err, err == io.EOF, s.Details())
}

func (tr *transcript) md(what string, md metadata.MD) {
	for _, k := range slices.Sorted(maps.Keys(md)) {
		switch {
		case k == "traceparent", k == "uber-trace-id", k == "tracestate", k == "baggage", k == "x-trace-id":
		case strings.HasPrefix(k, "mockpfx-"), strings.HasPrefix(k, "foreign"), k == ":authority":
		default:
			tr.add("%s %s: %q", what, k, md[k])
		}
	}
}

// say makes a unary call and notes all that comes back.
func (tr *transcript) say(ctx context.Context, cc *grpc.ClientConn, method, text string) {
	var header, trailer metadata.MD
	out := new(testsvc.Msg)
	err := cc.Invoke(ctx, method, testsvc.Text(text), out, grpc.Header(&header), grpc.Trailer(&trailer))
	tr.add("answer: %q", out.Value)
	tr.err("error", err)
	tr.md("header", header)
	tr.md("trailer", trailer)
}

// stream sends texts, half-closes, and receives until two errors have come.
func (tr *transcript) stream(ctx context.Context, cc *grpc.ClientConn, method string, texts ...string) {
	cs, err := cc.NewStream(ctx, testsvc.StreamDesc(method), method)
	tr.err("open", err)
	if err != nil {
		return
	}
	for _, s := range texts {
		tr.err("send", cs.SendMsg(testsvc.Text(s)))
	}
	tr.err("close", cs.CloseSend())
	header, err := cs.Header()
	tr.err("header", err)
	tr.md("header", header)
	for errs := 0; errs < 2; {
		m := new(testsvc.Msg)
		err := cs.RecvMsg(m)
		tr.add("received %q", m.Value)
		if err != nil || method == testsvc.Collect {
			tr.err("receive", err)
			errs++
		}
	}
	tr.md("trailer", cs.Trailer())
}

var (
	errPlain    = errors.New("plain error")
	errDetailed = func() error {
		s, err := status.New(codes.NotFound, "no such thing").WithDetails(testsvc.Text("detail"))
		if err != nil {
			panic(err)
		}
		return s.Err()
	}()
)

// failing answers every stream by one message and an error.
func failing(err error) *testsvc.Server {
	return &testsvc.Server{
		Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
			grpc.SetHeader(ctx, metadata.Pairs("h", "1", "h", "2", "h-bin", "\x00\xff"))
			grpc.SetTrailer(ctx, metadata.Pairs("t", "1"))
			return nil, err
		},
		Stream: func(_ string, ss grpc.ServerStream) error {
			ss.SetHeader(metadata.Pairs("h", "1", "h", "2", "h-bin", "\x00\xff"))
			ss.SetTrailer(metadata.Pairs("t", "1"))
			ss.RecvMsg(new(testsvc.Msg))
			ss.SendMsg(testsvc.Text("one"))
			return err
		},
	}
}

func panicking(value any) *testsvc.Server {
	return &testsvc.Server{
		Say: func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { panic(value) },
		Stream: func(_ string, ss grpc.ServerStream) error {
			ss.RecvMsg(new(testsvc.Msg))
			panic(value)
		},
	}
}

// noting writes what a handler sees into the answer.
func noting() *testsvc.Server {
	note := func(ctx context.Context) *testsvc.Msg {
		tr := &transcript{}
		md, _ := metadata.FromIncomingContext(ctx)
		tr.md("incoming", md)
		method, _ := grpc.Method(ctx)
		_, deadline := ctx.Deadline()
		tr.add("%s %v %v", method, deadline, ctx.Err())
		return testsvc.Text(strings.Join(tr.lines, "\n"))
	}
	return &testsvc.Server{
		Say: func(ctx context.Context, _ *testsvc.Msg) (*testsvc.Msg, error) { return note(ctx), nil },
		Stream: func(_ string, ss grpc.ServerStream) error {
			ss.RecvMsg(new(testsvc.Msg))
			return ss.SendMsg(note(ss.Context()))
		},
	}
}

var streams = []string{testsvc.Collect, testsvc.Repeat, testsvc.Chat}

// all makes one RPC of each kind.
func all(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
	tr.say(ctx, cc, testsvc.Say, "hello")
	for _, m := range streams {
		tr.stream(ctx, cc, m, "ab")
	}
}

type transparencyRow struct {
	name   string
	server *testsvc.Server
	use    func(ctx context.Context, tr *transcript, cc *grpc.ClientConn)
}

var transparency = []transparencyRow{
	{"echo", nil, all},
	{"status with details, headers and trailers", failing(errDetailed), all},
	{"plain error", failing(errPlain), all},
	{"io.EOF", failing(io.EOF), all},
	{"context error", failing(fmt.Errorf("slow: %w", context.DeadlineExceeded)), all},
	{"success with headers", failing(nil), func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		for _, m := range streams {
			tr.stream(ctx, cc, m, "ab")
		}
	}},
	{"panic", panicking("boom"), all},
	{"panic with an error", panicking(errPlain), all},
	{"unknown method", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.say(ctx, cc, "/spanloom.test.Echo/Nope", "x")
		tr.say(ctx, cc, "/nope.Nope/Nope", "x")
		tr.say(ctx, cc, "malformed", "x")
		tr.stream(ctx, cc, "/nope.Nope/Nope")
	}},
	{"many messages", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		tr.stream(ctx, cc, testsvc.Repeat, strings.Repeat("x", 300))
		tr.stream(ctx, cc, testsvc.Collect, strings.Split(strings.Repeat("x", 300), "")...)
		tr.stream(ctx, cc, testsvc.Chat)
	}},
	{"metadata", noting(), func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		md := metadata.MD{"upper": {"A", "b"}, "k-bin": {"\x00\x01\xff", ""}, "empty": {""}, "user-agent-x": {"u"}}
		ctx = metadata.AppendToOutgoingContext(metadata.NewOutgoingContext(ctx, md), "K-Bin", "\n", "plain", "v")
		all(ctx, tr, cc)
		tr.md("afterwards", md)
	}},
	{"metadata that gRPC refuses", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		all(metadata.AppendToOutgoingContext(ctx, "bad key", "v"), tr, cc)
		all(metadata.AppendToOutgoingContext(ctx, "k", "bad välue"), tr, cc)
	}},
	{"cancelled before", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		all(ctx, tr, cc)
	}},
	{"deadline passed before", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		ctx, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Hour))
		defer cancel()
		all(ctx, tr, cc)
	}},
	{"too large", nil, func(ctx context.Context, tr *transcript, cc *grpc.ClientConn) {
		cs, err := cc.NewStream(ctx, testsvc.StreamDesc(testsvc.Chat), testsvc.Chat, grpc.MaxCallSendMsgSize(10))
		tr.err("open", err)
		tr.err("send", cs.SendMsg(testsvc.Text(strings.Repeat("x", 100))))
		tr.err("receive", cs.RecvMsg(new(testsvc.Msg)))
	}},
}

// TestNothingChangesForEitherEnd runs the same calls bare and traced and compares what both ends see.
func TestNothingChangesForEitherEnd(t *testing.T) {
	eachTracer(t, func(t *testing.T, tracer opentracing.Tracer) {
		for _, network := range []testsvc.Network{testsvc.Bufconn, testsvc.TCP} {
			for _, tt := range slices.Concat(transparency, transparencyOfCalls) {
				t.Run(string(network)+"/"+tt.name, func(t *testing.T) {
					want := observe(t, network, tt.server, recovering(nil), nil, tt.use)
					for name, chain := range traced(tracer) {
						t.Run(name, func(t *testing.T) {
							got := observe(t, network, tt.server, chain.server, chain.dial, tt.use)
							if diff := cmp.Diff(want, got); diff != "" {
								t.Errorf("%s differs (-bare +traced):\n%s", name, diff)
							}
						})
					}
				})
			}
		}
	})
}

type chain struct {
	server []grpc.ServerOption
	dial   []grpc.DialOption
}

// traced are the ways to install the interceptors that must all be invisible.
func traced(tracer opentracing.Tracer) map[string]chain {
	dial := grpcmw.DialOptions(tracer)
	everything := []grpcmw.ServerOption{grpcmw.WithSemconv(grpcmw.Both), grpcmw.WithTraceIDTrailer("x-trace-id"),
		grpcmw.WithTags(opentracing.Tag{Key: "k", Value: 1}), grpcmw.WithMetadataTags("plain", "upper"),
		grpcmw.WithPublicEndpoint(func(context.Context, string) bool { return true }),
		grpcmw.WithOutcome(func(context.Context, opentracing.Span, *grpcmw.Outcome) { panic("hook") })}
	return map[string]chain{
		"outside recovery": {recovering(grpcmw.ServerOptions(tracer)), dial},
		"inside recovery":  {append(recovering(nil), grpcmw.ServerOptions(tracer)...), dial},
		"twice":            {recovering(append(grpcmw.ServerOptions(tracer), grpcmw.ServerOptions(tracer)...)), append(dial, grpcmw.DialOptions(tracer)...)},
		"all options":      {recovering(grpcmw.ServerOptions(tracer, everything...)), dial},
		"no tracer":        {recovering(grpcmw.ServerOptions(nil)), grpcmw.DialOptions(nil)},
		"wrapped streams":  {recovering(grpcmw.ServerOptions(tracer)), append(dial, grpc.WithChainStreamInterceptor(wrapping))},
	}
}

// recovering puts a recovery after the options.
func recovering(outer []grpc.ServerOption) []grpc.ServerOption {
	answer := recovery.WithRecoveryHandler(func(p any) error { return status.Errorf(codes.DataLoss, "recovered %v", p) })
	return append(outer, grpc.ChainUnaryInterceptor(recovery.UnaryServerInterceptor(answer)),
		grpc.ChainStreamInterceptor(recovery.StreamServerInterceptor(answer)))
}

// wrapping is an interceptor that hides gRPC's stream.
func wrapping(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	cs, err := streamer(ctx, desc, cc, method, opts...)
	if err != nil {
		return nil, err
	}
	return struct{ grpc.ClientStream }{cs}, nil
}

func observe(t *testing.T, network testsvc.Network, srv *testsvc.Server, server []grpc.ServerOption, dial []grpc.DialOption, use func(context.Context, *transcript, *grpc.ClientConn)) []string {
	t.Helper()
	tr := &transcript{}
	cc := testsvc.Start(t, network, srv, server, dial)
	use(t.Context(), tr, cc)
	return tr.lines
}

// odd is a context, and a transport's stream, that may not be compared.
type odd struct {
	context.Context
	grpc.ServerTransportStream
	_ []int
}

// TestWhatMayNotBeCompared serves RPCs with such values, which are the application's to choose.
func TestWhatMayNotBeCompared(t *testing.T) {
	tracer := spantest.New(t)
	untraced := grpcmw.StreamServerInterceptor(tracer, grpcmw.WithFilter(matching(false)))
	for _, ctx := range []context.Context{t.Context(), incomingWith("mockpfx-ids-traceid", []string{"1"})} {
		untraced(nil, &pingPong{ctx: odd{Context: ctx}}, chatInfo, func(any, grpc.ServerStream) error { return nil })
	}
	twice := grpcmw.UnaryServerInterceptor(tracer)
	ctx := grpc.NewContextWithServerTransportStream(t.Context(), odd{})
	twice(ctx, nil, unaryInfo, func(ctx context.Context, req any) (any, error) { return twice(ctx, req, unaryInfo, unaryHandler) })
	only(t, tracer)
}

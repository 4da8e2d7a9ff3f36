package grpcmw

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/tracerinit"
)

func setGlobal(t testing.TB, tracer opentracing.Tracer) {
	t.Helper()
	before := opentracing.GlobalTracer()
	opentracing.SetGlobalTracer(tracer)
	t.Cleanup(func() { opentracing.SetGlobalTracer(before) })
}

// kitTracer returns the global tracer of a test, and what it reports.
func kitTracer(t testing.TB) (*tracerinit.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	reporter := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Local: true, Service: "test", Reporters: []jaeger.Reporter{reporter},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := tracer.Stats().Open; n != 0 {
			t.Errorf("%d spans were never finished", n)
		}
		tracer.Close()
	})
	setGlobal(t, tracer)
	return tracer, reporter
}

const callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"

// callerContext is that of a traced caller.
func callerContext(t testing.TB) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(),
		"traceparent", "00-"+callerTrace+"-00f067aa0ba902b7-01", "baggage", "tenant=acme", "x-tenant", "acme")
}

// describe returns what there is to see of spans, but for ids and times that differ from run to run.
func describe(spans []opentracing.Span) (lines []string) {
	for _, s := range spans {
		s := s.(*jaeger.Span)
		sc := s.SpanContext()
		var tags []string
		for k, v := range s.Tags() {
			if !strings.HasSuffix(k, "_ms") && !strings.HasPrefix(k, "peer.port") {
				tags = append(tags, fmt.Sprintf("%s=%v", k, v))
			}
		}
		slices.Sort(tags)
		parent := "another"
		switch sc.ParentID() {
		case 0:
			parent = "none"
		case 0xf067aa0ba902b7:
			parent = "caller"
		}
		line := fmt.Sprintf("%s, parent %s, of the caller's trace %t: %s",
			s.OperationName(), parent, sc.TraceID().String() == callerTrace, strings.Join(tags, " "))
		if strings.HasSuffix(s.OperationName(), "checkpoint") { // of which there are a few, by chance
			line = s.OperationName()
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == line })
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// seen writes down what hooks and observers see.
type seen struct {
	mu  sync.Mutex
	log []string
}

func (s *seen) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

func (s *seen) Started(_ context.Context, c Call) { s.add("started %s", c.Method) }
func (s *seen) Ended(_ context.Context, c Call, span opentracing.Span, o *Outcome) {
	s.add("ended %s %s, a span: %t", c.Method, o.Code, span != nil)
}

var (
	matchAll  = selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return true })
	matchNone = selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return false })
)

// byHandOptions are all options of a server's interceptors. Each is one that makes a difference.
var byHandOptions = map[string]func(*seen) ServerOption{
	"WithFilter":        func(*seen) ServerOption { return WithFilter(matchNone) },
	"WithOperationName": func(*seen) ServerOption { return WithOperationName(func(string) string { return "mine" }) },
	"WithTags":          func(*seen) ServerOption { return WithTags(opentracing.Tag{Key: "mine", Value: "yes"}) },
	"WithSemconv":       func(*seen) ServerOption { return WithSemconv(OTel) },
	"WithMetadataTags":  func(*seen) ServerOption { return WithMetadataTags("x-tenant") },
	"WithErrorPolicy":   func(*seen) ServerOption { return WithErrorPolicy(func(string, bool, codes.Code) bool { return true }) },
	"WithOutcome": func(s *seen) ServerOption {
		return WithOutcome(func(_ context.Context, _ opentracing.Span, o *Outcome) { s.add("ended %s", o.Method) })
	},
	"WithObserver":        func(s *seen) ServerOption { return WithObserver(s) },
	"WithBaggageTags":     func(*seen) ServerOption { return WithBaggageTags("tenant") },
	"WithProfilingLabels": func(*seen) ServerOption { return WithProfilingLabels() },
	"WithCheckpoints":     func(*seen) ServerOption { return WithCheckpoints(time.Millisecond) },
	"WithPublicEndpoint": func(*seen) ServerOption {
		return WithPublicEndpoint(func(context.Context, string) bool { return true })
	},
	"WithSilence":        func(*seen) ServerOption { return WithSilence(matchAll) },
	"WithTraceIDTrailer": func(*seen) ServerOption { return WithTraceIDTrailer("x-trace-id") },
}

// between is a pair of interceptors of the user's, which read the active span if so wanted.
func between(read bool) []grpc.ServerOption {
	look := func(ctx context.Context) {
		if read {
			opentracing.SpanFromContext(ctx)
		}
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			look(ctx)
			return next(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			look(ss.Context())
			return next(srv, ss)
		}),
	}
}

// placements are where a server may have interceptors that were installed by hand.
var placements = map[string]func(opts ...ServerOption) []grpc.ServerOption{
	"chained": func(opts ...ServerOption) []grpc.ServerOption { return ServerOptions(nil, opts...) },
	"chained behind others": func(opts ...ServerOption) []grpc.ServerOption {
		return append(between(true), ServerOptions(nil, opts...)...)
	},
	"single, before all chains": func(opts ...ServerOption) []grpc.ServerOption {
		return append(between(false),
			grpc.UnaryInterceptor(UnaryServerInterceptor(nil, opts...)), grpc.StreamInterceptor(StreamServerInterceptor(nil, opts...)))
	},
}

// runServer makes RPCs to a server with these options, and returns all that there is to see.
func runServer(t *testing.T, tracer *tracerinit.Tracer, reporter *jaeger.InMemoryReporter, opts []grpc.ServerOption, checkpoints bool) (spans, answers []string) {
	t.Helper()
	srv := &testsvc.Server{
		Say: func(ctx context.Context, in *testsvc.Msg) (*testsvc.Msg, error) {
			child, _ := opentracing.StartSpanFromContext(ctx, "child")
			child.Finish()
			return in, nil
		},
		Stream: func(_ string, ss grpc.ServerStream) error {
			for checkpoints && !slices.ContainsFunc(reporter.GetSpans(), func(s opentracing.Span) bool {
				return strings.HasSuffix(s.(*jaeger.Span).OperationName(), "checkpoint")
			}) {
				runtime.Gosched()
			}
			child, _ := opentracing.StartSpanFromContext(ss.Context(), "child of stream")
			child.Finish()
			return fmt.Errorf("no stream today")
		},
	}
	cc := testsvc.Start(t, testsvc.Bufconn, srv, opts, nil)
	for range 3 {
		err := cc.Invoke(callerContext(t), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg))
		answers = append(answers, fmt.Sprint(err))
		cs, err := cc.NewStream(callerContext(t), testsvc.StreamDesc(testsvc.Chat), testsvc.Chat)
		if err != nil {
			t.Fatal(err)
		}
		err = cs.RecvMsg(new(testsvc.Msg))
		answers = append(answers, fmt.Sprint(err, len(cs.Trailer()["x-trace-id"])))
	}
	if st := tracer.Stats(); st.Open != 0 {
		t.Errorf("%d spans are open", st.Open)
	}
	return describe(reporter.GetSpans()), answers
}

// TestEveryOptionByHandHoldsBesideWovenCode also for the first RPC, which shows woven code that there is one.
func TestEveryOptionByHandHoldsBesideWovenCode(t *testing.T) {
	for name, option := range byHandOptions {
		for place, install := range placements {
			t.Run(name+", "+place, func(t *testing.T) {
				run := func(isWoven bool) [][]string {
					tracer, reporter := kitTracer(t)
					s := new(seen)
					opts := install(option(s))
					if isWoven {
						defer woven.Force()()
						opts = wovenServerOptions(opts)
					}
					spans, answers := runServer(t, tracer, reporter, opts, name == "WithCheckpoints")
					return [][]string{spans, answers, s.log}
				}
				if diff := cmp.Diff(run(false), run(true)); diff != "" {
					t.Errorf("-by hand +woven:\n%s", diff)
				}
			})
		}
	}
}

func TestEveryServerOptionIsTriedBesideWovenCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "options.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "With") || f.Type.Results.List[0].Type.(*ast.Ident).Name == "ClientOption" {
			continue
		}
		n++
		if byHandOptions[f.Name.Name] == nil {
			t.Errorf("%s is not tried", f.Name.Name)
		}
	}
	if n != len(byHandOptions) {
		t.Errorf("%d options tried, options.go has %d", len(byHandOptions), n)
	}
}

func TestWovenServerHasTheInterceptors(t *testing.T) {
	tracer, reporter := kitTracer(t)
	want, _ := runServer(t, tracer, reporter, ServerOptions(nil), false)
	defer woven.Force()()
	tracer, reporter = kitTracer(t)
	got, _ := runServer(t, tracer, reporter, wovenServerOptions(between(true)), false)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-by hand +woven:\n%s", diff)
	}
}

// TestOtherTracersSeeOneSpan though OpenTracing has no way to drop a span.
func TestOtherTracersSeeOneSpan(t *testing.T) {
	defer woven.Force()()
	mock := mocktracer.New()
	setGlobal(t, mock)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, wovenServerOptions(ServerOptions(nil)), nil)
	for range 2 {
		if err := cc.Invoke(t.Context(), testsvc.Say, testsvc.Text("x"), new(testsvc.Msg)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(mock.FinishedSpans()); n != 2 {
		t.Errorf("%d spans of 2 RPCs", n)
	}
}

func TestInterceptorsByHandWithoutATracerAreObeyed(t *testing.T) {
	off := opentracing.NoopTracer{}
	for place, opts := range map[string][]grpc.ServerOption{
		"chained": ServerOptions(off),
		"single":  {grpc.UnaryInterceptor(UnaryServerInterceptor(off)), grpc.StreamInterceptor(StreamServerInterceptor(off))},
	} {
		t.Run(place, func(t *testing.T) {
			defer woven.Force()()
			tracer, reporter := kitTracer(t)
			spans, _ := runServer(t, tracer, reporter, wovenServerOptions(opts), false)
			for _, s := range spans {
				if !strings.HasPrefix(s, "child") || !strings.Contains(s, "parent none") {
					t.Error(s)
				}
			}
		})
	}
}

package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// TestPanickingHooksFailNoRPC lets every hook panic.
func TestPanickingHooksFailNoRPC(t *testing.T) {
	boom := selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { panic("filter") })
	shared := []grpcmw.Option{
		grpcmw.WithFilter(boom),
		grpcmw.WithOperationName(func(string) string { panic("name") }),
		grpcmw.WithErrorPolicy(func(string, bool, codes.Code) bool { panic("policy") }),
		grpcmw.WithOutcome(func(context.Context, opentracing.Span, *grpcmw.Outcome) { panic("outcome") }),
	}
	server := []grpcmw.ServerOption{grpcmw.WithSilence(boom), grpcmw.WithPublicEndpoint(func(context.Context, string) bool { panic("public") })}
	client := []grpcmw.ClientOption{grpcmw.WithPeerService(func(string) string { panic("peer") }), grpcmw.WithPropagation(func(context.Context, string) bool { panic("inject") })}
	for _, o := range shared {
		server, client = append(server, o), append(client, o)
	}
	s, c := both(t, testsvc.Bufconn, failing(errDetailed), server, client, sayHello)
	if s.Tag("spanloom.hook_panics") != 6 || c.Tag("spanloom.hook_panics") != 6 {
		t.Errorf("counted %v and %v, want 6 and 6", s.Tag("spanloom.hook_panics"), c.Tag("spanloom.hook_panics"))
	}
	if s.Tag("error") != nil || c.Tag("error") != true {
		t.Errorf("default policy not followed: %v, %v", s.Tags(), c.Tags())
	}
}

// interceptAll runs body below each of the four interceptors.
func interceptAll(tracer opentracing.Tracer, body func()) map[string]func() {
	ctx := context.Background()
	return map[string]func(){
		"unary server": func() {
			grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, unaryInfo, func(context.Context, any) (any, error) { body(); return nil, nil })
		},
		"stream server": func() {
			grpcmw.StreamServerInterceptor(tracer)(body, &pingPong{ctx: ctx}, chatInfo, func(any, grpc.ServerStream) error { body(); return nil })
		},
		"unary client": func() {
			grpcmw.UnaryClientInterceptor(tracer)(ctx, testsvc.Say, nil, nil, nil,
				func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
					body()
					return nil
				})
		},
		"stream client": func() {
			grpcmw.StreamClientInterceptor(tracer)(ctx, testsvc.StreamDesc(testsvc.Chat), nil, testsvc.Chat,
				func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
					body()
					return nil, errPlain
				})
		},
	}
}

func TestPanicsGoOn(t *testing.T) {
	type odd struct{ n *int }
	for _, value := range []any{"boom", errPlain, odd{new(int)}, 0} {
		t.Run(fmt.Sprint(value), func(t *testing.T) {
			tracer := spantest.New(t)
			for name, run := range interceptAll(tracer, func() { explode(value) }) {
				t.Run(name, func(t *testing.T) {
					before := len(tracer.Finished())
					func() {
						defer func() {
							if got := recover(); got != value {
								t.Errorf("panic %v became %v", value, got)
							}
						}()
						run()
					}()
					spans := tracer.Finished()
					if len(spans) != before+1 {
						t.Fatalf("%d spans more", len(spans)-before)
					}
					checkPanic(t, name, spans[before])
				})
			}
		})
	}
}

func explode(value any) { panic(value) }

func checkPanic(t *testing.T, name string, span *mocktracer.MockSpan) {
	t.Helper()
	if span.Tag("error") != true || span.Tag("rpc.grpc.status_code") != int(codes.Unknown) || len(span.Logs()) != 1 {
		t.Errorf("%s: tags %v, %d logs", name, span.Tags(), len(span.Logs()))
		return
	}
	fields := map[string]string{}
	for _, f := range span.Logs()[0].Fields {
		fields[f.Key] = f.ValueString
	}
	if fields["event"] != "error" || fields["error.kind"] != "panic" || !strings.Contains(fields["stack"], "explode") {
		t.Errorf("%s: log %q", name, fields)
	}
}

func TestGoexitEndsTheSpan(t *testing.T) {
	tracer := spantest.New(t)
	for _, run := range interceptAll(tracer, runtime.Goexit) {
		var wg sync.WaitGroup
		wg.Go(run)
		wg.Wait()
	}
	for _, s := range tracer.Finished() {
		if s.Tag("error") != true || s.Tag("grpc.code") != "Unknown" {
			t.Errorf("tags %v", s.Tags())
		}
	}
	if n := len(tracer.Finished()); n != 4 {
		t.Errorf("%d spans", n)
	}
}

// TestHooksThatGoexit has hooks that end their goroutine, as t.Fatal does.
func TestHooksThatGoexit(t *testing.T) {
	tracer := spantest.New(t)
	shared := map[string]grpcmw.Option{
		"outcome": grpcmw.WithOutcome(func(context.Context, opentracing.Span, *grpcmw.Outcome) { runtime.Goexit() }),
		"policy":  grpcmw.WithErrorPolicy(func(string, bool, codes.Code) bool { runtime.Goexit(); return false }),
	}
	client := map[string]grpcmw.ClientOption{
		"peer":   grpcmw.WithPeerService(func(string) string { runtime.Goexit(); return "" }),
		"inject": grpcmw.WithPropagation(func(context.Context, string) bool { runtime.Goexit(); return true }),
	}
	for name, o := range shared {
		client[name] = o
	}
	watched := &observer{}
	var wg sync.WaitGroup
	for _, o := range shared {
		wg.Go(func() { grpcmw.UnaryServerInterceptor(tracer, o)(t.Context(), nil, unaryInfo, unaryHandler) })
	}
	for name, o := range client {
		seen := &observer{}
		if shared[name] == nil {
			seen = watched
		}
		wg.Go(func() {
			grpcmw.UnaryClientInterceptor(tracer, grpcmw.WithObserver(seen), o)(t.Context(), testsvc.Say, nil, nil, nil,
				func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil })
		})
	}
	wg.Wait()
	for _, s := range tracer.Finished() {
		if s.Tag("rpc.grpc.status_code") == nil {
			t.Errorf("tags %v", s.Tags())
		}
	}
	if n := len(tracer.Finished()); n != 6 {
		t.Errorf("%d spans, want 6", n)
	}
	if len(watched.ended) != len(watched.started) {
		t.Errorf("an observer of RPCs whose hooks ended too early was notified: %s", watched.counts())
	}
}

// secretText is what the value of a panic prints.
type secretText struct{}

func (secretText) String() string { return "cannot open postgres://app:hunter2@db/shop" }

// TestSecretsInPanics wants no secret of a panic's value on the span, whatever type the value has.
func TestSecretsInPanics(t *testing.T) {
	for kind, value := range map[string]any{
		"string":   "refused: token=hunter2 Authorization: Bearer hunter2",
		"error":    fmt.Errorf("dial: %w", errors.New("https://api.example.com/v1?access_token=hunter2")),
		"stringer": secretText{},
		"pointer":  &secretText{},
		"struct":   struct{ URL, Note string }{"https://u:hunter2@example.com/", strings.Repeat("x", 1<<16)},
		"bytes":    []byte("token=hunter2"),
		"status":   status.Error(codes.Internal, "password=hunter2"),
	} {
		t.Run(kind, func(t *testing.T) {
			tracer := spantest.New(t)
			for side, run := range interceptAll(tracer, func() { explode(value) }) {
				t.Run(side, func(t *testing.T) {
					before := len(tracer.Finished())
					func() {
						defer func() { recover() }()
						run()
					}()
					span := tracer.Finished()[before]
					checkPanic(t, side, span)
					for key, v := range span.Tags() {
						if text := fmt.Sprint(v); strings.Contains(text, "hunter2") || len(text) > 1024 {
							t.Errorf("tag %s is %.200s", key, text)
						}
					}
					for _, f := range span.Logs()[0].Fields {
						if strings.Contains(f.ValueString, "hunter2") {
							t.Errorf("%s is %.200s", f.Key, f.ValueString)
						}
					}
				})
			}
		})
	}
}

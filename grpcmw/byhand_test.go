package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// TestInterceptorsCalledByHand calls the interceptors as tests and other channels do, which leave out what gRPC itself
// always passes. Each call comes through, and makes one span with a name.
func TestInterceptorsCalledByHand(t *testing.T) {
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	streamer := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
		return &pingPongClient{}, nil
	}
	handler := func(_ any, ss grpc.ServerStream) error { return ss.SendMsg(nil) }
	for _, tt := range []struct {
		name, want string
		call       func(ctx context.Context, tracer *spantest.Tracer) error
	}{
		{"unary server without info", grpcmw.UnknownMethod, func(ctx context.Context, tracer *spantest.Tracer) error {
			_, err := grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, nil, unaryHandler)
			return err
		}},
		{"stream server without info", grpcmw.UnknownMethod, func(ctx context.Context, tracer *spantest.Tracer) error {
			return grpcmw.StreamServerInterceptor(tracer)(1, &pingPong{ctx: ctx}, nil, handler)
		}},
		{"unary server without a method", grpcmw.UnknownMethod, func(ctx context.Context, tracer *spantest.Tracer) error {
			_, err := grpcmw.UnaryServerInterceptor(tracer)(ctx, nil, &grpc.UnaryServerInfo{}, unaryHandler)
			return err
		}},
		{"unary client without a method", grpcmw.UnknownMethod, func(ctx context.Context, tracer *spantest.Tracer) error {
			return grpcmw.UnaryClientInterceptor(tracer)(ctx, "", nil, nil, nil, invoke)
		}},
		{"method without a slash", "Say", func(ctx context.Context, tracer *spantest.Tracer) error {
			return grpcmw.UnaryClientInterceptor(tracer)(ctx, "Say", nil, nil, nil, invoke)
		}},
		{"stream client without a description", testsvc.Chat, func(ctx context.Context, tracer *spantest.Tracer) error {
			cs, err := grpcmw.StreamClientInterceptor(tracer)(ctx, nil, nil, testsvc.Chat, streamer)
			if err != nil {
				return err
			}
			if err := cs.SendMsg(nil); err != nil {
				return err
			}
			if err := cs.RecvMsg(nil); err != io.EOF {
				return errors.Join(errors.New("no end"), err)
			}
			return nil
		}},
		{"unary server without a context", testsvc.Say, func(_ context.Context, tracer *spantest.Tracer) error {
			_, err := grpcmw.UnaryServerInterceptor(tracer)(nil, nil, unaryInfo, unaryHandler)
			return err
		}},
		{"unary client without a context", testsvc.Say, func(_ context.Context, tracer *spantest.Tracer) error {
			return grpcmw.UnaryClientInterceptor(tracer)(nil, testsvc.Say, nil, nil, nil, invoke)
		}},
		{"stream client without a context", testsvc.Chat, func(_ context.Context, tracer *spantest.Tracer) error {
			cs, err := grpcmw.StreamClientInterceptor(tracer)(nil, nil, nil, testsvc.Chat, streamer)
			if err == nil && cs.RecvMsg(nil) != io.EOF {
				err = errors.New("no end")
			}
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer := spantest.New(t)
			if err := tt.call(t.Context(), tracer); err != nil {
				t.Error(err)
			}
			if s := only(t, tracer); s.OperationName != tt.want || s.Tag("error") != nil {
				t.Errorf("%q with %v, want %q", s.OperationName, s.Tags(), tt.want)
			}
		})
	}
}

// TestHandlersCalledByHandWithoutStream calls a handler that does not use its stream with what tests pass then, whose
// methods panic. What the handler returns comes through, and the option that sends a trailer does no harm.
func TestHandlersCalledByHandWithoutStream(t *testing.T) {
	failed := errors.New("failed")
	for name, ss := range map[string]grpc.ServerStream{
		"nil": nil, "a fake without methods": struct{ grpc.ServerStream }{}, "a fake without a context": &pingPong{},
	} {
		for _, handled := range []struct {
			name    string
			handler grpc.StreamHandler
		}{
			{"returns", func(any, grpc.ServerStream) error { return failed }},
			{"panics", func(any, grpc.ServerStream) error { panic(failed) }},
		} {
			t.Run(name+"/"+handled.name, func(t *testing.T) {
				tracer := spantest.New(t)
				intercept := grpcmw.StreamServerInterceptor(tracer, grpcmw.WithTraceIDTrailer("trace-id"))
				func() {
					defer func() {
						if p := recover(); p != nil && p != failed {
							t.Errorf("panic %v", p)
						}
					}()
					if err := intercept(nil, ss, chatInfo, handled.handler); err != failed {
						t.Errorf("error %v", err)
					}
				}()
				if s := only(t, tracer); s.OperationName != grpcmw.UnknownMethod || s.Tag("error") != true {
					t.Errorf("%q with %v", s.OperationName, s.Tags())
				}
			})
		}
	}
}

// incomparable is a context whose values cannot be compared with ==.
type incomparable struct {
	context.Context
	_ [0]func()
}

// TestStreamsOfIncomparableContexts serves streams with a context of such a type: without a tracer, the handler gets the
// stream itself.
func TestStreamsOfIncomparableContexts(t *testing.T) {
	ss := &pingPong{ctx: incomparable{Context: t.Context()}}
	for name, tracer := range map[string]opentracing.Tracer{"no-op": opentracing.NoopTracer{}, "traced": spantest.New(t)} {
		t.Run(name, func(t *testing.T) {
			var got grpc.ServerStream
			handler := func(_ any, ss grpc.ServerStream) error { got = ss; return nil }
			if err := grpcmw.StreamServerInterceptor(tracer)(nil, ss, chatInfo, handler); err != nil {
				t.Error(err)
			}
			if name == "no-op" && got != grpc.ServerStream(ss) {
				t.Errorf("the handler got a %T", got)
			}
		})
	}
}

// brokenError has methods that panic, as those of a nil pointer do. [errors.Is] calls them.
type brokenError struct{}

func (brokenError) Error() string { panic("Error") }
func (brokenError) Is(error) bool { panic("Is") }
func (brokenError) As(any) bool   { panic("As") }
func (brokenError) Unwrap() error { panic("Unwrap") }

// TestErrorsWhoseMethodsPanic pass as they are, and their spans have failed.
func TestErrorsWhoseMethodsPanic(t *testing.T) {
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		return brokenError{}
	}
	for name, call := range map[string]func(*spantest.Tracer) error{
		"unary client": func(tracer *spantest.Tracer) error {
			return grpcmw.UnaryClientInterceptor(tracer)(t.Context(), testsvc.Say, nil, nil, nil, invoke)
		},
		"stream client": func(tracer *spantest.Tracer) error {
			_, err := grpcmw.StreamClientInterceptor(tracer)(t.Context(), nil, nil, testsvc.Chat,
				func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
					return nil, brokenError{}
				})
			return err
		},
		"unary server": func(tracer *spantest.Tracer) error {
			_, err := grpcmw.UnaryServerInterceptor(tracer)(t.Context(), nil, unaryInfo, func(context.Context, any) (any, error) {
				return nil, brokenError{}
			})
			return err
		},
		"stream server": func(tracer *spantest.Tracer) error {
			return grpcmw.StreamServerInterceptor(tracer)(1, &pingPong{ctx: t.Context()}, chatInfo, func(any, grpc.ServerStream) error {
				return brokenError{}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			if err := call(tracer); err != error(brokenError{}) {
				t.Errorf("another error: %T", err)
			}
			if s := only(t, tracer); s.Tag("error") != true || s.Tag("error.type") != "UNKNOWN" {
				t.Errorf("tags %v", s.Tags())
			}
		})
	}
}

package grpcmw_test

import (
	"context"
	"errors"
	"io"
	"testing"

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

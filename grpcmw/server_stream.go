package grpcmw

import (
	"context"

	"google.golang.org/grpc"
)

// streamContext returns the context of a stream. Streams of tests that call an interceptor by hand may have none: they
// may be nil, or a type that embeds a nil interface, whose methods panic.
func streamContext(ss grpc.ServerStream) (ctx context.Context) {
	defer func() {
		if ctx == nil {
			_ = recover()
			ctx = context.Background()
		}
	}()
	return ss.Context()
}

// contextStream is a server's stream with another context.
type contextStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *contextStream) Context() context.Context { return s.ctx }

// serverStreamWrapper counts the messages of a server's stream. It is the stream that the handler sees.
type serverStreamWrapper struct {
	grpc.ServerStream
	call *call
}

func (s *serverStreamWrapper) Context() context.Context { return s.call.context() }

func (s *serverStreamWrapper) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.call.stream.sent.Add(1)
		s.call.firstMessage()
	}
	return err
}

func (s *serverStreamWrapper) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.call.stream.received.Add(1)
	}
	return err
}

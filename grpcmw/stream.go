package grpcmw

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// passedStream is a server's stream with another context.
type passedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *passedStream) Context() context.Context { return s.ctx }

// countedServerStream is a server's stream below the interceptor.
type countedServerStream struct {
	grpc.ServerStream
	call *call
}

func (s *countedServerStream) Context() context.Context { return s.call.context() }

func (s *countedServerStream) SendMsg(m any) error {
	err := s.ServerStream.SendMsg(m)
	if err == nil {
		s.call.stream.sent.Add(1)
		s.call.answered()
	}
	return err
}

func (s *countedServerStream) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if err == nil {
		s.call.stream.received.Add(1)
	}
	return err
}

// countedClientStream is a client's stream above the interceptor.
type countedClientStream struct {
	grpc.ClientStream
	call *clientCall
}

func (s *countedClientStream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	switch {
	case err == nil && md == nil:
		s.call.headless()
	case err != nil && err != io.EOF:
		s.call.ended(err)
	}
	return md, err
}

func (s *countedClientStream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	switch {
	case err == nil:
		s.call.stream.sent.Add(1)
	case err != io.EOF: // io.EOF only says that RecvMsg has the status
		s.call.ended(err)
	}
	return err
}

func (s *countedClientStream) RecvMsg(m any) error {
	s.call.receiving(1)
	defer s.call.receiving(-1)
	err := s.ClientStream.RecvMsg(m)
	switch {
	case err == io.EOF && !s.call.answers:
		s.call.ended(errUnanswered)
	case err == io.EOF, err == nil && !s.call.answers:
		s.call.ended(nil)
	case err == nil:
		s.call.stream.received.Add(1)
		s.call.answered()
	default:
		s.call.ended(err)
	}
	return err
}

package grpcmw

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// clientStreamState is what a clientCall has in addition if the RPC streams.
type clientStreamState struct {
	stats streamStats

	mu        sync.Mutex // guards the rest
	streamEnd streamEnd
	timer     *time.Timer // for graceOver
	stopWatch func() bool // stops waiting for the end of the context
}

// wrapStream returns the stream for the caller. Events of the stream, of the context and of the garbage collector
// decide when the span ends, see [streamEnd].
func (c *clientCall) wrapStream(cs grpc.ClientStream) grpc.ClientStream {
	s := &clientStreamWrapper{ClientStream: cs, call: c}
	c.streamEvent(opened, nil)
	if c.base.Done() != nil {
		c.mu.Lock()
		c.stopWatch = context.AfterFunc(c.base, c.onContextDone)
		c.mu.Unlock()
	}
	runtime.AddCleanup(s, (*clientCall).onUnreachable, c)
	return s
}

// onContextDone is called when the context of the RPC ends.
func (c *clientCall) onContextDone() {
	c.streamEvent(contextEnded, status.FromContextError(c.base.Err()).Err())
}

// onTransportFinish is called by gRPC when one of its streams has finished. Interceptors in between may open several
// for the one call.
func (c *clientCall) onTransportFinish(err error) {
	//lint:ignore SA1019 Its code is also that of a stream which an interceptor gave up for another one.
	if err == grpc.ErrClientConnClosing {
		c.streamEvent(contextEnded, err)
		return
	}
	c.streamEvent(attemptEnded, err)
}

// onUnreachable is called when the caller has dropped the stream.
func (c *clientCall) onUnreachable() { c.streamEvent(unreachable, nil) }

// streamEvent passes an event to the state machine and carries out what it decides.
func (c *clientCall) streamEvent(ev streamEvent, err error) {
	e := &c.streamEnd
	c.mu.Lock()
	switch e.next(ev, err) {
	case waitForReceiver:
		if c.timer == nil {
			c.timer = time.AfterFunc(graceTime, func() { c.streamEvent(graceOver, nil) })
		} else {
			c.timer.Reset(graceTime)
		}
		c.mu.Unlock()
	case endSpan:
		if c.timer != nil {
			c.timer.Stop()
		}
		outcome, at, stopWatch := e.outcome, e.at, c.stopWatch
		c.mu.Unlock()
		if stopWatch != nil {
			stopWatch()
		}
		if outcome == nil && e.oneAnswer {
			c.stats.received.Store(1)
		}
		c.end(outcome, nil, at)
	default:
		c.mu.Unlock()
	}
}

// clientStreamWrapper is the stream that the caller sees. It counts messages and turns calls into events.
type clientStreamWrapper struct {
	grpc.ClientStream
	call *clientCall
}

func (s *clientStreamWrapper) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	if err != nil && err != io.EOF {
		s.call.streamEvent(callFailed, err)
	}
	return md, err
}

func (s *clientStreamWrapper) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	switch {
	case err == nil:
		s.call.stats.sent.Add(1)
	case err != io.EOF: // io.EOF says that RecvMsg has the status
		s.call.streamEvent(callFailed, err)
	}
	return err
}

func (s *clientStreamWrapper) RecvMsg(m any) error {
	c := s.call
	c.streamEvent(receiveStarted, nil)
	returned := false
	defer func() {
		if !returned {
			c.streamEvent(receivePanicked, nil)
		}
	}()
	err := s.ClientStream.RecvMsg(m)
	returned = true
	oneAnswer := c.streamEnd.oneAnswer
	switch {
	case err == nil && !oneAnswer:
		c.stats.received.Add(1)
		c.firstMessage()
		c.streamEvent(messageReceived, nil)
		return nil
	case err == io.EOF && !oneAnswer:
		s.readAnswer()
		c.streamEvent(streamReceived, nil)
	case err == io.EOF: // of gRPC before version 1.76
		s.readAnswer()
		c.streamEvent(streamReceived, errUnanswered)
	default:
		s.readAnswer()
		c.streamEvent(streamReceived, err)
	}
	return err
}

// readAnswer reads the peer and the trailer, which a stream has once RecvMsg has returned its end. Streams that are not
// gRPC's may panic.
func (s *clientStreamWrapper) readAnswer() {
	c := s.call
	if c.ended.Load() || !c.span.Recording() {
		return
	}
	defer func() { _ = recover() }()
	p, ok := peer.FromContext(s.ClientStream.Context())
	if !ok {
		return
	}
	var trailer metadata.MD
	if c.cfg.traceIDTrailer != "" {
		trailer = s.ClientStream.Trailer()
	}
	c.setAnswer(p.Addr, trailer)
}

// setAnswer sets what the last tags are made of, until an event ends the span: several calls may fail at a time, of
// which one ends it.
func (c *clientCall) setAnswer(addr net.Addr, trailer metadata.MD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streamEnd.state != over {
		c.remote.Addr, c.trailer, c.answered = addr, trailer, true
	}
}

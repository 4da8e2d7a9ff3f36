package grpcmw

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// streamEnd decides when the span of a client's stream ends, and with which outcome. It is a state machine: next is its
// only transition function, and the table of its test lists its rules.
//
// What RecvMsg returns to the caller counts. A message and the status behind it may have arrived before the context
// ends, so that the next RecvMsg returns io.EOF and not the error of the context. Therefore the end of the context, or
// of the connection, only makes a candidate for the outcome while the caller may still receive. It becomes the outcome
// if nobody receives within graceTime, or if the caller has dropped the stream. The span then ends at the time of the
// candidate.
//
// gRPC's own streams end calls of their own, see [grpc.OnFinish], but an interceptor in between may open several of
// them for the one call, or none. So their ends count only for a stream that the caller has dropped.
type streamEnd struct {
	oneAnswer bool // the server sends one message; set before the first event
	deadline  bool // the context has one; set before the first event

	state     streamState
	receiving int       // calls of RecvMsg under way
	candidate error     // the outcome, unless RecvMsg returns another one
	attempt   error     // of the stream of gRPC's that ended last
	attempted bool      // one did
	outcome   error     // once the state is over
	at        time.Time // of the candidate or outcome; zero if the end is now
}

// streamState is a state of a streamEnd.
type streamState uint8

const (
	opening  streamState = iota // the streamer has not returned yet
	open                        // the stream goes on
	settling                    // the context or the connection ended, and the caller may receive something else
	dropped                     // nobody can receive any more, but the context's deadline will end the stream
	over                        // the outcome is known
)

// streamEvent is what happens to a stream.
type streamEvent uint8

const (
	opened          streamEvent = iota // the streamer returned a stream
	openFailed                         // it returned an error, or nothing
	receiveStarted                     // RecvMsg was called
	messageReceived                    // it returned a message, and there may be more
	receivePanicked                    // it panicked
	streamReceived                     // it returned the end of the stream, which is an error or success
	callFailed                         // another method returned an error that ends the stream
	contextEnded                       // the context or the connection did
	attemptEnded                       // a stream of gRPC's did
	graceOver                          // graceTime has passed since waitForReceiver
	unreachable                        // the caller has dropped the stream
)

// streamAction is what follows an event.
type streamAction uint8

const (
	goOn            streamAction = iota
	waitForReceiver              // send graceOver after graceTime
	endSpan                      // with outcome, at the given time
)

// graceTime is how long the outcome waits for a receiver after the context or the connection has ended. It is long
// enough for a receiver that handles its last message, and short enough that a stream which nobody reads any more does
// not seem to go on.
const graceTime = 500 * time.Millisecond

var (
	errUnanswered = status.Error(codes.Internal, "the server sent no message")
	errAbandoned  = status.Error(codes.Canceled, "the stream was dropped")
)

// next handles an event and returns what follows. Events come one at a time.
func (e *streamEnd) next(ev streamEvent, err error) streamAction {
	if e.state == over {
		return goOn
	}
	switch ev {
	case opened:
		return e.open()
	case openFailed, streamReceived, callFailed:
		return e.finish(err, time.Time{})
	case receiveStarted:
		e.receiving++
	case messageReceived, receivePanicked:
		e.receiving--
		return e.wait()
	case contextEnded:
		return e.propose(err)
	case attemptEnded:
		e.attempt, e.attempted = err, true
		if e.state == dropped {
			return e.drop()
		}
	case graceOver:
		if e.state == settling && e.receiving == 0 {
			return e.finish(e.candidate, e.at)
		}
	case unreachable:
		return e.drop()
	}
	return goOn
}

// open begins to wait for a receiver if the connection was closed meanwhile.
func (e *streamEnd) open() streamAction {
	if e.candidate == nil {
		e.state = open
		return goOn
	}
	e.state = settling
	return e.wait()
}

// wait waits for a receiver if the stream is settling and nobody receives.
func (e *streamEnd) wait() streamAction {
	if e.state == settling && e.receiving == 0 {
		return waitForReceiver
	}
	return goOn
}

// propose makes err the candidate if it is the first.
func (e *streamEnd) propose(err error) streamAction {
	if e.candidate != nil {
		return goOn
	}
	e.candidate, e.at = err, time.Now()
	switch e.state {
	case opening:
		return goOn
	case dropped:
		return e.drop()
	}
	e.state = settling
	return e.wait()
}

// drop ends a stream that nobody can receive from any more.
func (e *streamEnd) drop() streamAction {
	switch {
	case e.candidate != nil:
		return e.finish(e.candidate, e.at)
	case e.attempted && e.attempt == nil && e.oneAnswer:
		return e.finish(errUnanswered, time.Time{})
	case e.attempted:
		return e.finish(e.attempt, time.Time{})
	case e.deadline:
		e.state = dropped
		return goOn
	}
	return e.finish(errAbandoned, time.Time{})
}

func (e *streamEnd) finish(outcome error, at time.Time) streamAction {
	e.state, e.outcome, e.at = over, outcome, at
	return endSpan
}

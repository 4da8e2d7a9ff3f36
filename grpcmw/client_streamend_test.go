package grpcmw

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
)

var (
	errDeadline = errors.New("the context ended")
	errStatus   = errors.New("the status of the stream")
	errAttempt  = errors.New("an attempt failed")
)

// step is an event of a stream with its error, and what has to follow.
type step struct {
	event  streamEvent
	err    error
	action streamAction
}

// TestAStreamsEndFollowsItsRules is the table of the rules by which a client's stream ends. Each row ends with the outcome, unless the
// stream goes on.
func TestAStreamsEndFollowsItsRules(t *testing.T) {
	start := func(rest ...step) []step { return append([]step{{opened, nil, goOn}}, rest...) }
	for _, tt := range []struct {
		name                string
		oneAnswer, deadline bool
		steps               []step
		want                error
		early               bool // the span ends when the context did
	}{
		// What the caller receives decides at once.
		{"opening fails", false, false, []step{{openFailed, errStatus, endSpan}}, errStatus, false},
		{"opening fails after an attempt", false, false, []step{
			{attemptEnded, errAttempt, goOn}, {openFailed, errStatus, endSpan}}, errStatus, false},
		{"end", false, false, start(step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},
		{"error", false, false, start(step{receiveStarted, nil, goOn}, step{streamReceived, errStatus, endSpan}), errStatus, false},
		{"end after messages", false, false, start(step{receiveStarted, nil, goOn}, step{messageReceived, nil, goOn},
			step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},
		{"answer", true, false, start(step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},
		{"send fails", false, false, start(step{callFailed, errStatus, endSpan}), errStatus, false},
		{"send fails while a receive waits", false, false, start(step{receiveStarted, nil, goOn},
			step{callFailed, errStatus, endSpan}, step{streamReceived, nil, goOn}), errStatus, false},
		{"nothing counts after the end", false, false, start(step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan},
			step{contextEnded, errDeadline, goOn}, step{receiveStarted, nil, goOn}, step{streamReceived, io.ErrUnexpectedEOF, goOn},
			step{attemptEnded, errAttempt, goOn}, step{graceOver, nil, goOn}, step{unreachable, nil, goOn}), nil, false},

		// The end of the context waits for the receiver.
		{"context ends during a receive that ends well", false, false, start(step{receiveStarted, nil, goOn},
			step{contextEnded, errDeadline, goOn}, step{streamReceived, nil, endSpan}), nil, false},
		{"context ends during a receive that says so", false, false, start(step{receiveStarted, nil, goOn},
			step{contextEnded, errDeadline, goOn}, step{streamReceived, errStatus, endSpan}), errStatus, false},
		{"context ends between the last message and the end", false, false, start(step{receiveStarted, nil, goOn},
			step{messageReceived, nil, goOn}, step{contextEnded, errDeadline, waitForReceiver}, step{receiveStarted, nil, goOn},
			step{streamReceived, nil, endSpan}), nil, false},
		{"context ends before buffered messages", false, false, start(step{contextEnded, errDeadline, waitForReceiver},
			step{receiveStarted, nil, goOn}, step{graceOver, nil, goOn}, step{messageReceived, nil, waitForReceiver},
			step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},
		{"context ends and nobody receives", false, false, start(step{contextEnded, errDeadline, waitForReceiver},
			step{graceOver, nil, endSpan}), errDeadline, true},
		{"nobody receives after a last message", false, false, start(step{receiveStarted, nil, goOn},
			step{contextEnded, errDeadline, goOn}, step{messageReceived, nil, waitForReceiver}, step{graceOver, nil, endSpan}),
			errDeadline, true},
		{"nobody receives after a panic", false, false, start(step{receiveStarted, nil, goOn},
			step{receivePanicked, nil, goOn}, step{contextEnded, errDeadline, waitForReceiver}, step{graceOver, nil, endSpan}),
			errDeadline, true},
		{"two receivers, one of which gets the status", false, false, start(step{receiveStarted, nil, goOn}, step{receiveStarted, nil, goOn},
			step{contextEnded, errDeadline, goOn}, step{messageReceived, nil, goOn}, step{graceOver, nil, goOn},
			step{streamReceived, nil, endSpan}), nil, false},
		{"the first end of the context counts", false, false, start(step{contextEnded, errDeadline, waitForReceiver},
			step{contextEnded, grpc.ErrServerStopped, goOn}, step{graceOver, nil, endSpan}), errDeadline, true},
		{"connection closed while opening", false, false, []step{{contextEnded, errDeadline, goOn},
			{opened, nil, waitForReceiver}, {graceOver, nil, endSpan}}, errDeadline, true},
		{"a grace that is over before the context ends", false, false, start(step{graceOver, nil, goOn},
			step{receiveStarted, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},

		// Streams of gRPC's may be attempts, so their ends count only if nobody receives.
		{"an attempt ends, another goes on", false, false, start(step{receiveStarted, nil, goOn},
			step{attemptEnded, errAttempt, goOn}, step{messageReceived, nil, goOn}, step{receiveStarted, nil, goOn},
			step{attemptEnded, nil, goOn}, step{streamReceived, nil, endSpan}), nil, false},

		// Dropped streams.
		{"dropped", false, false, start(step{unreachable, nil, endSpan}), errAbandoned, false},
		{"dropped after the context ended", false, false, start(step{contextEnded, errDeadline, waitForReceiver},
			step{unreachable, nil, endSpan}), errDeadline, true},
		{"dropped after gRPC's stream ended", false, false, start(step{attemptEnded, errAttempt, goOn},
			step{unreachable, nil, endSpan}), errAttempt, false},
		{"dropped after success", false, true, start(step{attemptEnded, nil, goOn}, step{unreachable, nil, endSpan}), nil, false},
		{"dropped before the one answer", true, false, start(step{attemptEnded, nil, goOn},
			step{unreachable, nil, endSpan}), errUnanswered, false},
		{"dropped with a deadline", false, true, start(step{unreachable, nil, goOn},
			step{contextEnded, errDeadline, endSpan}), errDeadline, true},
		{"dropped with a deadline, ended before", false, true, start(step{unreachable, nil, goOn},
			step{attemptEnded, errAttempt, endSpan}), errAttempt, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &streamEnd{oneAnswer: tt.oneAnswer, deadline: tt.deadline}
			for i, s := range tt.steps {
				if got := e.next(s.event, s.err); got != s.action {
					t.Fatalf("event %d (%d): action %d, want %d", i, s.event, got, s.action)
				}
			}
			if e.state != over || e.outcome != tt.want || e.at.IsZero() == tt.early {
				t.Errorf("state %d, outcome %v at %v; want %v, early %v", e.state, e.outcome, e.at, tt.want, tt.early)
			}
		})
	}
}

// TestStreamEndWhateverHappens goes through all sequences of six events: a stream ends at most once, one that nobody
// can receive from ends, and no state is stuck.
func TestStreamEndWhateverHappens(t *testing.T) {
	events := []streamEvent{
		receiveStarted, messageReceived, streamReceived, contextEnded, attemptEnded, graceOver, unreachable,
	}
	var run func(e streamEnd, trace string, depth int)
	run = func(e streamEnd, trace string, depth int) {
		if depth == 0 {
			return
		}
		for _, ev := range events {
			next := e
			if ev == messageReceived || ev == streamReceived {
				if next.receiving == 0 || next.state == dropped {
					continue // RecvMsg returns only what was called
				}
			}
			if ev == unreachable && next.receiving > 0 || ev == receiveStarted && next.state == dropped {
				continue // who receives holds the stream
			}
			before := next.state
			action := next.next(ev, errStatus)
			path := fmt.Sprint(trace, " ", ev)
			switch {
			case (action == endSpan) != (next.state == over && before != over):
				t.Fatalf("%s: action %d in state %d", path, action, next.state)
			case action == waitForReceiver && (next.state != settling || next.receiving > 0):
				t.Fatalf("%s: waits in state %d with %d receivers", path, next.state, next.receiving)
			case ev == unreachable && next.state != over && next.state != dropped:
				t.Fatalf("%s: a dropped stream goes on", path)
			case next.state == settling && next.receiving == 0 && before != settling && action != waitForReceiver:
				t.Fatalf("%s: nobody waits for the receiver", path)
			}
			run(next, path, depth-1)
		}
	}
	for _, oneAnswer := range []bool{false, true} {
		for _, deadline := range []bool{false, true} {
			e := streamEnd{oneAnswer: oneAnswer, deadline: deadline}
			e.next(opened, nil)
			run(e, "", 6)
		}
	}
}

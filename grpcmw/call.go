package grpcmw

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Outcome is what is known of an RPC when its span ends. Method is the full method as gRPC gives it, with a leading
// slash. Err is the handler's or the stream's error, nil for success; Panic the value of a panic or nil. Sent and
// Received count messages. IsError says whether the span is marked as failed; a hook may change it.
type Outcome struct {
	Method   string
	Code     codes.Code
	Err      error
	Panic    any
	Sent     int
	Received int
	Duration time.Duration
	IsError  bool
}

// call is the state of one RPC. It starts its span and ends it.
type call struct {
	rpcspan.Span
	cfg       *config
	method    *method
	kind      rpcKind
	described bool
	public    bool            // a server's caller is not obeyed
	told      atomic.Bool     // by gRPC what it knows of the server
	base      context.Context // the RPC's own
	client    *clientCall     // it is part of; nil on a server
	stream    *streaming      // nil of a unary RPC
}

// streaming is what is kept of an RPC that streams.
type streaming struct {
	marks    *checkpoints // nil without
	first    atomic.Int64 // time.Duration from start to the first message of an answer; 0: none yet
	sent     atomic.Int64
	received atomic.Int64
}

// How many tags spans usually get after their start.
const (
	unaryTags  = 3
	streamTags = unaryTags + 3
)

// start begins the span with the method's tags, and makes the context with it.
func (c *call) start(t opentracing.Tracer, kind *rpcspan.StartTags, parent *rpcspan.Parent) (recording bool) {
	name := c.cfg.operationName(&c.Span, c.method)
	room := unaryTags
	if c.stream != nil {
		room = streamTags
	}
	recording = c.Start(t, &rpcspan.StartInfo{Name: name, StartTags: kind, Tags: c.method.tags, SpareTags: room}, parent)
	c.base = c.TracerContext(c.base)
	if every := c.cfg.checkpoints; every > 0 && c.stream != nil {
		c.stream.marks = c.markEvery(every, name)
	}
	return recording
}

// context is base with the span.
func (c *call) context() context.Context { return (*within)(c) }

// answered notes a message of the answer: what a server sends and a client receives.
func (c *call) answered() {
	if first := &c.stream.first; first.Load() == 0 {
		first.CompareAndSwap(0, int64(max(time.Since(c.StartTime()), 1)))
	}
}

// end finishes the span. Only the first call counts, and panicked is the value of a panic.
func (c *call) end(err error, panicked any) {
	if !c.TryFinish() {
		return
	}
	if c.stream != nil && c.stream.marks != nil {
		c.stream.marks.stop()
	}
	s := statusOf(err)
	if panicked != nil {
		s = condition{code: codes.Unknown, panicked: true}
	}
	failed := panicked != nil
	defer func() { c.finish(s, failed, panicked) }() // a hook may end its goroutine
	failed = failed || c.cfg.isError(&c.Span, c.method.full, c.kind.client(), s.code)
	if c.cfg.outcome != nil {
		failed = c.ask(s.code, err, panicked, failed)
	}
}

func (c *call) finish(s condition, failed bool, panicked any) {
	l := rpcspan.Tags{Span: &c.Span, Vocabulary: c.cfg.semconv, UserKeys: c.cfg.taken}
	if c.Recording() {
		c.describeLate(&l)
		c.endTags(&l, s, failed)
		if s.panicked {
			c.Panicked(panicked, &l)
		}
	}
	c.Finish(time.Time{}, nil, &l)
}

// ask runs the user's hook and returns whether the span is to be marked as failed.
func (c *call) ask(code codes.Code, err error, panicked any, failed bool) bool {
	o := &Outcome{
		Method: c.method.full, Code: code, Err: err, Panic: panicked,
		Duration: time.Since(c.StartTime()), IsError: failed,
	}
	o.Sent, o.Received = c.messages(err == nil && panicked == nil)
	func() {
		defer c.RecoverHook()
		c.cfg.outcome(c.context(), c.OpenTracingSpan(), o)
	}()
	return o.IsError
}

// messages returns how many messages were sent and received. Streams count them.
func (c *call) messages(well bool) (sent, received int) {
	switch {
	case c.stream != nil:
		return c.stream.messages()
	case well:
		return 1, 1
	case c.kind.client():
		return 1, 0
	}
	return 0, 1
}

func (s *streaming) messages() (sent, received int) {
	return int(s.sent.Load()), int(s.received.Load())
}

// errGoexit is the outcome of an RPC whose goroutine ended without returning.
var errGoexit = errors.New("runtime.Goexit")

// unwound ends the span of an RPC that does not return. value is what recover gave the deferred function that calls
// it; nil means runtime.Goexit. A panic goes on with the same value.
func (c *call) unwound(value any) {
	if value == nil {
		c.end(errGoexit, nil)
		return
	}
	c.end(nil, value)
	panic(value)
}

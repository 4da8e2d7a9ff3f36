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
	cfg      *config
	method   *method
	kind     rpcKind
	public   bool            // a server's caller is not obeyed
	told     atomic.Bool     // by gRPC what it knows of the server
	base     context.Context // the RPC's own
	client   *clientCall     // it is part of; nil on a server
	marks    *checkpoints    // nil without
	first    atomic.Int64    // time.Duration from start to the first message of an answer; 0: none yet
	sent     atomic.Int64
	received atomic.Int64
}

// start begins the span and makes the context with it.
func (c *call) start(t opentracing.Tracer, kind *rpcspan.Kind, parent opentracing.SpanContext) {
	name := c.cfg.operationName(&c.Span, c.method)
	c.Start(t, name, kind, parent)
	c.base = c.Hooked(c.base)
	if every := c.cfg.checkpoints; every > 0 && c.kind.streaming() {
		c.marks = c.markEvery(every, name)
	}
}

// context is base with the span.
func (c *call) context() context.Context { return (*within)(c) }

// answered notes a message of the answer: what a server sends and a client receives.
func (c *call) answered() {
	if c.first.Load() == 0 {
		c.first.CompareAndSwap(0, int64(max(time.Since(c.Began()), 1)))
	}
}

// end finishes the span. Only the first call counts, and panicked is the value of a panic.
func (c *call) end(err error, panicked any) {
	if !c.Ending() {
		return
	}
	if c.marks != nil {
		c.marks.stop()
	}
	s := statusOf(err)
	if panicked != nil {
		s = condition{code: codes.Unknown}
	}
	failed := panicked != nil
	defer func() { // a hook may end its goroutine
		if c.Recording() {
			c.endTags(s, failed, panicked)
		}
		c.Finish(time.Time{}, nil)
	}()
	failed = failed || c.cfg.isError(&c.Span, c.method.full, c.kind.client(), s.code)
	if c.cfg.outcome != nil {
		failed = c.ask(s.code, err, panicked, failed)
	}
}

// ask runs the user's hook and returns whether the span is to be marked as failed.
func (c *call) ask(code codes.Code, err error, panicked any, failed bool) bool {
	o := &Outcome{
		Method: c.method.full, Code: code, Err: err, Panic: panicked,
		Sent: int(c.sent.Load()), Received: int(c.received.Load()),
		Duration: time.Since(c.Began()), IsError: failed,
	}
	func() {
		defer c.Contain()
		c.cfg.outcome(c.context(), c.OpenTracing(), o)
	}()
	return o.IsError
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

package grpcmw

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/proflabel"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/semconv"
)

// call is the state of one RPC, on a server or a client. It starts the span and ends it. An RPC that is only observed
// has a call whose span is not started.
type call struct {
	span   rpcspan.Span
	cfg    *config
	method *method
	name   string          // operation name that the span starts with
	base   context.Context // the RPC's own
	client *clientCall     // that the call is part of; nil on a server
	stream *streamStats    // nil for a unary RPC

	rpc       rpcType
	tagged    bool // the tags of the request have been set
	untrusted bool // the caller is not obeyed: a public endpoint
	ended     atomic.Bool
	joined    joinedHooks
	nested    *nestedHooks // nil unless an interceptor further out observes the RPC without a span
}

// streamStats counts the messages of a stream.
type streamStats struct {
	checkpoints *checkpoints // nil without
	first       atomic.Int64 // time.Duration from the start to the first message of the answer; 0: none yet
	sent        atomic.Int64
	received    atomic.Int64
}

// How many tags spans usually get after their start.
const (
	unaryTags  = 3
	streamTags = unaryTags + 3
)

// start starts the span with the method's tags and those of the request. A panic of the tracer is recovered: the RPC
// goes on, with the span if there is one by then.
func (c *call) start(t opentracing.Tracer, startTags *rpcspan.StartTags, parent, untrusted *rpcspan.Parent) {
	defer c.span.RecoverHook()
	spare := unaryTags
	if c.stream != nil {
		spare = streamTags
	}
	info := rpcspan.StartInfo{Name: c.name, StartTags: startTags, Tags: c.method.tags, SpareTags: spare}
	if _, hasDeadline := c.base.Deadline(); !hasDeadline { // which makes a tag that other RPCs do not have
		info.Shared = c.method.shared
	}
	recording := c.span.Start(t, &info, parent)
	c.base = c.span.TracerContext(c.base)
	if every := c.cfg.checkpoints; every > 0 && c.stream != nil {
		c.stream.checkpoints = startCheckpoints(c, every)
	}
	if recording {
		if untrusted != nil {
			c.span.Link(untrusted)
		}
		l := c.tags()
		c.requestTags(&l)
		l.Flush()
	}
}

func (c *call) tags() rpcspan.Tags {
	return rpcspan.Tags{Span: &c.span, Vocabulary: c.cfg.semconv, UserKeys: c.cfg.userKeys}
}

// observe notifies the observers of the start, before the handler or the invoker is called with ctx.
func (c *call) observe(ctx context.Context) {
	if !c.span.Started() {
		c.span.SetStartTime(time.Now())
	}
	if c.observed() {
		c.hooks().Started(&c.span, c.hooked(ctx))
	}
}

// setProfilingLabels sets the labels on the goroutine and in the RPC's context, and returns those of before.
func (c *call) setProfilingLabels() (before proflabel.Labels) {
	before = proflabel.Get()
	defer c.span.RecoverHook()
	c.base = proflabel.Set(c.base, &c.span, c.name)
	return before
}

// firstMessage records when the first message of the answer was sent by a server or received by a client.
func (c *call) firstMessage() {
	if first := &c.stream.first; first.Load() == 0 {
		first.CompareAndSwap(0, int64(max(time.Since(c.span.StartTime()), 1)))
	}
}

// end ends the RPC: it calls the hooks, sets the last tags and finishes the span. Only the first call counts. panicked
// is the value of a panic. at is when the RPC ended, now if it is zero.
func (c *call) end(err error, panicked any, at time.Time) {
	if !c.ended.CompareAndSwap(false, true) {
		return
	}
	if c.stream != nil && c.stream.checkpoints != nil {
		c.stream.checkpoints.stop()
	}
	s := statusOf(err)
	if panicked != nil {
		s = rpcStatus{code: codes.Unknown, kind: semconv.PanicType, panicked: true}
	}
	if c.cfg.errorPolicy != nil || len(c.hooks()) > 0 || !c.joined.CloseEmpty() {
		c.endHooked(&s, err, panicked, at)
		return
	}
	c.finish(&s, s.kind != "" || isErrorByDefault(c.cfg.client, s.code), panicked, at)
}

// endHooked is the rest of end if a user has a say in the outcome.
func (c *call) endHooked(s *rpcStatus, err error, panicked any, at time.Time) {
	isError := s.kind != ""
	defer func() { c.finish(s, isError, panicked, at) }() // a hook may end its goroutine
	isError = isError || c.isError(s.code)
	until := at
	if until.IsZero() {
		until = time.Now()
	}
	isError = c.callHooks(c.outcome(s, err, panicked, isError, until))
}

// finish contains what a foreign tracer's span may panic with.
func (c *call) finish(s *rpcStatus, isError bool, panicked any, at time.Time) {
	if !c.span.Started() {
		return
	}
	l := c.tags()
	if s.code == codes.OK && !isError {
		l.Shared = c.method.shared
	}
	c.lastTags(&l, s, isError, panicked)
	defer c.span.RecoverHook()
	c.span.Finish(at, nil, &l)
}

func (c *call) lastTags(l *rpcspan.Tags, s *rpcStatus, isError bool, panicked any) {
	defer c.span.RecoverHook()
	switch {
	case c.span.Recording():
		c.lateTags(l)
		c.endTags(l, s, isError)
		if s.panicked {
			c.span.Panicked(panicked, l)
		}
	case c.span.Observed():
		c.codeTags(l, s)
		l.Flush()
		if isError {
			c.span.SetTag(semconv.KeyError, true)
		}
	}
}

// messages returns how many messages were sent and received. Streams count them.
func (c *call) messages(ok bool) (sent, received int) {
	switch {
	case c.stream != nil:
		return c.stream.messages()
	case ok:
		return 1, 1
	case c.cfg.client:
		return 1, 0
	}
	return 0, 1
}

func (s *streamStats) messages() (sent, received int) {
	return int(s.sent.Load()), int(s.received.Load())
}

// errGoexit is the outcome of an RPC whose goroutine ended without returning.
var errGoexit = errors.New("runtime.Goexit")

// endPanicked ends an RPC whose handler or invoker did not return. value is what recover returned to the deferred
// function that calls endPanicked; nil means [runtime.Goexit]. A panic goes on with the same value.
func (c *call) endPanicked(value any) {
	if value == nil {
		c.end(errGoexit, nil, time.Time{})
		return
	}
	c.end(nil, value, time.Time{})
	panic(value)
}

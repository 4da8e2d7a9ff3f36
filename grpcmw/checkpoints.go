package grpcmw

import (
	"sync"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/semconv"
)

// checkpoints makes the spans that show an open stream.
type checkpoints struct {
	call *call
	name string

	mu    sync.Mutex
	timer *time.Timer
	last  time.Time
	over  bool
}

func startCheckpoints(c *call, every time.Duration) *checkpoints {
	k := &checkpoints{call: c, name: c.name + " checkpoint", last: c.span.StartTime()}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(every, func() { k.mark(every) })
	return k
}

func (k *checkpoints) mark(every time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	if k.call.span.Recording() {
		k.report()
	}
	k.last = time.Now()
	k.timer.Reset(every)
}

func (k *checkpoints) report() {
	c := k.call
	defer c.span.RecoverHook() // a tracer that panics would take the program with it
	parent := c.span.OpenTracingSpan()
	span := parent.Tracer().StartSpan(k.name, opentracing.ChildOf(parent.Context()), opentracing.StartTime(k.last))
	for _, tag := range c.method.tags {
		span.SetTag(tag.Key, tag.Value)
	}
	sent, received := c.stream.messages()
	span.SetTag(semconv.MessagesSent.OpenTracing, sent)
	span.SetTag(semconv.MessagesReceived.OpenTracing, received)
	span.Finish()
}

// stop returns when there will be no more.
func (k *checkpoints) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	k.timer.Stop()
}

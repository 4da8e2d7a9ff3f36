package grpcmw

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/opentracing/opentracing-go"
)

// An endHook is called when an RPC ends. It is an outcome hook or an observer, the other is nil.
type endHook struct {
	outcome  func(ctx context.Context, span opentracing.Span, o *Outcome)
	observer Observer
}

// endHooks are the hooks of one interceptor in the order of its options.
type endHooks []endHook

// haveObserver reports whether one of the hooks is called for RPCs without a span, too.
func (hooks endHooks) haveObserver() bool {
	for _, h := range hooks {
		if h.observer != nil {
			return true
		}
	}
	return false
}

// started calls the observers.
func (hooks endHooks) started(c *call, ctx context.Context) {
	for _, h := range hooks {
		if h.observer != nil {
			c.callStarted(h.observer, ctx)
		}
	}
}

func (c *call) callStarted(o Observer, ctx context.Context) {
	defer c.span.RecoverHook()
	o.Started(ctx, c.observed())
}

// ended calls the hooks with a copy of facts, and returns IsError as the last of them left it. Each hook sees IsError
// as the one before left it; what a hook writes to other fields is discarded. Outcome hooks are called only for a span.
func (hooks endHooks) ended(c *call, facts *Outcome) (isError bool) {
	isError = facts.IsError
	if len(hooks) == 0 {
		return isError
	}
	o := new(Outcome)
	for _, h := range hooks {
		if h.observer == nil && !c.span.Started() {
			continue
		}
		*o = *facts
		o.IsError = isError
		isError = c.callEnded(h, o)
	}
	return isError
}

// callEnded returns o.IsError as the hook left it, or as it was if the hook panics.
func (c *call) callEnded(h endHook, o *Outcome) (isError bool) {
	isError = o.IsError
	defer c.span.RecoverHook()
	if h.outcome != nil {
		h.outcome(c.context(), c.span.OpenTracingSpan(), o)
		return o.IsError
	}
	span := c.span.OpenTracingSpan()
	if c.span.Disabled() {
		span = nil
	}
	h.observer.Ended(c.context(), c.observed(), span, o)
	return o.IsError
}

// without returns the hooks whose observers are not among others: an observer that two interceptors share is notified
// once for each RPC. Observers of an incomparable type are all kept.
func (hooks endHooks) without(others endHooks) endHooks {
	var kept endHooks
	for _, h := range hooks {
		if h.observer == nil || !others.observe(h.observer) {
			kept = append(kept, h)
		}
	}
	return kept
}

func (hooks endHooks) observe(o Observer) bool {
	if !reflect.TypeOf(o).Comparable() {
		return false
	}
	for _, h := range hooks {
		if h.observer != nil && reflect.TypeOf(h.observer) == reflect.TypeOf(o) && h.observer == o {
			return true
		}
	}
	return false
}

// joinedHooks are the hooks of interceptors further in, which found that the RPC is traced already.
type joinedHooks struct {
	used    atomic.Bool
	mu      sync.Mutex
	closed  bool
	configs []*config
	hooks   endHooks
}

// join adds the hooks of an inner interceptor to those of this RPC, and notifies its observers of the start. The same
// interceptor joins once, even if a retry calls it again.
func (c *call) join(inner *config) {
	if len(inner.hooks) == 0 || inner == c.cfg {
		return
	}
	j := &c.joined
	j.used.Store(true)
	j.mu.Lock()
	for _, known := range j.configs {
		if known == inner {
			j.mu.Unlock()
			return
		}
	}
	hooks := inner.hooks.without(c.hooks).without(j.hooks)
	if j.closed {
		hooks = nil
	}
	j.configs = append(j.configs, inner)
	j.hooks = append(j.hooks, hooks...)
	j.mu.Unlock()
	hooks.started(c, c.context())
}

// callHooks calls the hooks of this RPC, those of the outermost interceptor first, and returns whether it failed.
func (c *call) callHooks(facts *Outcome) (isError bool) {
	facts.IsError = c.hooks.ended(c, facts)
	j := &c.joined
	j.mu.Lock()
	hooks := j.hooks
	j.closed, j.hooks = true, nil
	j.mu.Unlock()
	return hooks.ended(c, facts)
}

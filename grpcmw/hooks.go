package grpcmw

import (
	"context"
	"slices"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/hooks"
)

// hookedCall is what hooks are called with besides the span and the outcome.
type hookedCall struct {
	ctx context.Context
	Call
}

type (
	hook        = hooks.Hook[hookedCall, Outcome]
	hookList    = hooks.List[hookedCall, Outcome]
	joinedHooks = hooks.Joined[hookedCall, Outcome]
)

func outcomeHook(f func(ctx context.Context, span opentracing.Span, o *Outcome)) hook {
	return hook{Ended: func(c hookedCall, span opentracing.Span, o *Outcome) { f(c.ctx, span, o) }}
}

func observerHook(o Observer) hook {
	return hook{
		Observer: o,
		Started:  func(c hookedCall) { o.Started(c.ctx, c.Call) },
		Ended:    func(c hookedCall, span opentracing.Span, out *Outcome) { o.Ended(c.ctx, c.Call, span, out) },
	}
}

// nestedHooks are those of an interceptor inside another one that observes the RPC and has no span, because it has no
// tracer or its filter is against the RPC. The inner one may have a span.
type nestedHooks struct {
	own hookList // without the observers that interceptors further out have
	all hookList // with them
}

// nestIn is called before the hooks are, with the call of the interceptor further out.
func (c *call) nestIn(outer *call) {
	others := append(slices.Clip(outer.allHooks()), outer.joined.Hooks()...)
	own := c.cfg.hooks.Without(others)
	c.nested = &nestedHooks{own: own, all: append(slices.Clip(own), others...)}
}

// hooks returns those of the interceptor that are called for this RPC.
func (c *call) hooks() hookList {
	if c.nested != nil {
		return c.nested.own
	}
	return c.cfg.hooks
}

// allHooks returns the hooks of the interceptor and of those further out.
func (c *call) allHooks() hookList {
	if c.nested != nil {
		return c.nested.all
	}
	return c.cfg.hooks
}

// observed reports whether one of the hooks is an observer.
func (c *call) observed() bool {
	if c.nested != nil {
		return c.nested.own.HasObserver()
	}
	return c.cfg.observed
}

// hooked returns what the hooks are called with. ctx is that of the handler or the invoker.
func (c *call) hooked(ctx context.Context) hookedCall {
	return hookedCall{ctx, Call{Method: c.method.bounded(), Type: c.rpc.public(), Client: c.cfg.client}}
}

// join adds the hooks of an inner interceptor to those of this RPC, and notifies its observers of the start. The same
// interceptor joins once, even if a retry calls it again.
func (c *call) join(inner *config) {
	if inner != c.cfg {
		c.joined.Add(&c.span, c.hooked(c.context()), inner, inner.hooks, c.allHooks())
	}
}

// joinable reports whether an interceptor further in adds its hooks to c. If c has no span, one that has a tracer may
// start a span of its own.
func (c *call) joinable(hasTracer bool) bool { return c.span.Started() || !hasTracer }

// callHooks calls the hooks of this RPC, those of the outermost interceptor first, and returns whether it failed.
func (c *call) callHooks(facts Outcome) (isError bool) {
	o := hooks.Outcome[Outcome]{Facts: facts, Field: isErrorField, IsError: facts.IsError}
	c.joined.Ended(&c.span, c.hooked(c.context()), &o, c.hooks())
	return o.IsError
}

func isErrorField(o *Outcome) *bool { return &o.IsError }

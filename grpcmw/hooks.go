package grpcmw

import (
	"context"

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

// hooked returns what the hooks are called with. ctx is that of the handler or the invoker.
func (c *call) hooked(ctx context.Context) hookedCall {
	return hookedCall{ctx, Call{Method: c.method.bounded(), Type: c.rpc.public(), Client: c.cfg.client}}
}

// join adds the hooks of an inner interceptor to those of this RPC, and notifies its observers of the start. The same
// interceptor joins once, even if a retry calls it again.
func (c *call) join(inner *config) {
	if inner != c.cfg {
		c.joined.Add(&c.span, c.hooked(c.context()), inner, inner.hooks, c.cfg.hooks)
	}
}

// callHooks calls the hooks of this RPC, those of the outermost interceptor first, and returns whether it failed.
func (c *call) callHooks(facts Outcome) (isError bool) {
	o := hooks.Outcome[Outcome]{Facts: facts, Field: isErrorField, IsError: facts.IsError}
	c.joined.Ended(&c.span, c.hooked(c.context()), &o, c.cfg.hooks)
	return o.IsError
}

func isErrorField(o *Outcome) *bool { return &o.IsError }

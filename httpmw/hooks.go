package httpmw

import (
	"net/http"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/hooks"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Observer is notified of the start and the end of every request: of those that [WithFilter] leaves out, of those that
// are not sampled, and of those that a disabled or missing tracer does not trace. Its methods are called by many
// goroutines at a time. A panic in one is recovered and counted on the span, if there is one. See [WithObserver].
type Observer interface {
	// Started is called on a server before the handler, on a client before the base transport. The method of r is the
	// one that [Outcome] has in the end, but for its spelling.
	Started(r *http.Request)

	// Ended is called when the span ends, or would end if there were one: on a server after the handler, on a client
	// after the response's body. Span is nil if the request has none. It may set o.IsError. It must not keep o, which
	// is used again for the next hook.
	Ended(r *http.Request, span opentracing.Span, o *Outcome)
}

type (
	hook        = hooks.Hook[*http.Request, Outcome]
	hookList    = hooks.List[*http.Request, Outcome]
	joinedHooks = hooks.Joined[*http.Request, Outcome]
)

func outcomeHook(f func(span opentracing.Span, r *http.Request, o *Outcome)) hook {
	return hook{Ended: func(r *http.Request, span opentracing.Span, o *Outcome) { f(span, r, o) }}
}

func observerHook(o Observer) hook { return hook{Observer: o, Started: o.Started, Ended: o.Ended} }

// addHooks adds the hooks of a middleware or transport further in, whose configuration is c, to those of a request
// that is traced already, which belong to the configuration own. It returns false if the request has ended.
func addHooks(
	j *joinedHooks, s *rpcspan.Span, r *http.Request, c *config, ownHooks hookList, own *config,
) (added bool) {
	more := c.hooks
	if c == own {
		more = nil
	}
	return j.Add(s, r, c, more, ownHooks)
}

// withMethod returns r with the method that the request had when its span started, which [Outcome] has when it ends.
// Between the two middlewares the method may have been overridden. An observer is started and ended with one method.
func withMethod(r *http.Request, method string) *http.Request {
	if r.Method == method {
		return r
	}
	r = r.WithContext(r.Context())
	r.Method = method
	return r
}

// callHooks calls the hooks of a request, those of the outermost middleware first, and returns whether it failed. The
// duration ends now, if it is not set.
func callHooks(j *joinedHooks, s *rpcspan.Span, r *http.Request, facts *Outcome, own hookList) (isError bool) {
	if j.CloseEmpty() && len(own) == 0 {
		return facts.IsError
	}
	if facts.Duration == 0 {
		facts.Duration = time.Since(s.StartTime())
	}
	o := hooks.Outcome[Outcome]{Facts: *facts, Field: isErrorField, IsError: facts.IsError}
	j.Ended(s, r, &o, own)
	return o.IsError
}

func isErrorField(o *Outcome) *bool { return &o.IsError }

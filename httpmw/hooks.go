package httpmw

import (
	"net/http"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/hooks"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

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

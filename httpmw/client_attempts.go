package httpmw

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/opentracing/opentracing-go"
)

type attemptsKey struct{}

// ContextWithResends returns a context in which requests with the same method and URL are attempts at one request:
// from the second on, their client spans count the earlier ones as http.request.resend_count and link to the last of
// them by link.trace_id and link.span_id. It is for callers that retry or hedge, or whose client does: each request
// needs a context of its own. Redirects are counted, too: those that led to the URL, and those that led to it in
// earlier attempts. Of more than 16 different requests the first 16 are counted.
func ContextWithResends(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptsKey{}, &attemptCounter{})
}

// maxTargets bounds the different requests that are counted in one context.
const maxTargets = 16

// attemptCounter counts the requests that were sent in one context.
type attemptCounter struct {
	mu      sync.Mutex
	targets []attempts
}

// attempts are those at one target.
type attempts struct {
	target
	n    int
	last opentracing.SpanContext // span of the last one
}

// target is what all attempts at one request have in common.
type target struct {
	method    string
	host      string  // in the Host header
	url       url.URL // without user and fragment
	redirects int     // that led there
}

func targetOf(r *http.Request) target {
	t := target{cmp.Or(r.Method, http.MethodGet), cmp.Or(r.Host, r.URL.Host), *r.URL, redirects(r)}
	t.url.User, t.url.Fragment, t.url.RawFragment = nil, "", ""
	return t
}

// add records one more attempt at t, whose span is sc. It returns how many preceded it, and the span of the last of
// them.
func (c *attemptCounter) add(t target, sc opentracing.SpanContext) (before int, last opentracing.SpanContext) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.targets {
		if a := &c.targets[i]; a.target == t {
			before, last = a.n, a.last
			a.n, a.last = before+1, sc
			return before, last
		}
	}
	if len(c.targets) < maxTargets {
		c.targets = append(c.targets, attempts{t, 1, sc})
	}
	return 0, nil
}

// attempts returns how many requests preceded this one, and the span of the last attempt at it.
func (s *clientState) attempts() (before int, last opentracing.SpanContext) {
	if c, ok := s.parent.Value(attemptsKey{}).(*attemptCounter); ok {
		before, last = c.add(targetOf(s.original), s.span.OpenTracingSpan().Context())
	}
	return before + redirects(s.original), last
}

// redirects counts the redirects that led to r.
func redirects(r *http.Request) (n int) {
	const limit = 100
	for r.Response != nil && r.Response.Request != nil && n < limit {
		r = r.Response.Request
		n++
	}
	return n
}

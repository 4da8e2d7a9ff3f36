package httpmw

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/opentracing/opentracing-go"
)

type resendsKey struct{}

// ContextWithResends returns a context in which requests with the same method and URL are attempts at one request:
// from the second on, their client spans count the earlier ones as http.request.resend_count and link to the last of
// them by link.trace_id and link.span_id. It is for callers that retry or hedge, or whose client does: give each
// request one of its own. After redirects, both add up: the redirects that led there, and the earlier attempts that
// came as far. Of more than 16 different requests the first 16 are counted.
func ContextWithResends(ctx context.Context) context.Context {
	return context.WithValue(ctx, resendsKey{}, &attempts{})
}

// maxAttempted bounds the different requests of one context.
const maxAttempted = 16

// attempts are the requests that were sent in a context.
type attempts struct {
	mu   sync.Mutex
	sent []attempt
}

type attempt struct {
	target
	times int
	last  opentracing.SpanContext
}

// target is what all attempts at one request have in common.
type target struct {
	method    string
	host      string  // as the server is told
	url       url.URL // without user and fragment
	redirects int     // that led there
}

func targetOf(r *http.Request) target {
	t := target{cmp.Or(r.Method, http.MethodGet), cmp.Or(r.Host, r.URL.Host), *r.URL, redirects(r)}
	t.url.User, t.url.Fragment, t.url.RawFragment = nil, "", ""
	return t
}

// add notes one more attempt, whose span is sc, and returns how many went before and the span of the last of them.
func (a *attempts) add(t target, sc opentracing.SpanContext) (before int, last opentracing.SpanContext) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.sent {
		if s := &a.sent[i]; s.target == t {
			before, last = s.times, s.last
			s.times, s.last = before+1, sc
			return before, last
		}
	}
	if len(a.sent) < maxAttempted {
		a.sent = append(a.sent, attempt{t, 1, sc})
	}
	return 0, nil
}

// resends returns how often the request was sent before, and the span of the last attempt at it.
func (c *call) resends() (n int, last opentracing.SpanContext) {
	if a, ok := c.original.Context().Value(resendsKey{}).(*attempts); ok {
		n, last = a.add(targetOf(c.original), c.span.OpenTracingSpan().Context())
	}
	return n + redirects(c.original), last
}

// redirects counts the redirects that led to r.
func redirects(r *http.Request) (n int) {
	const enough = 100
	for r.Response != nil && r.Response.Request != nil && n < enough {
		r = r.Response.Request
		n++
	}
	return n
}

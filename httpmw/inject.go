package httpmw

import (
	"maps"
	"net/http"
	"slices"

	"github.com/opentracing/opentracing-go"
	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// inject puts the headers of parent's context on r, in a map of its own. Without them, because t failed, r is sent all the
// same.
func inject(r *http.Request, t opentracing.Tracer, parent *rpcspan.Parent) {
	before := r.Header
	r.Header = maps.Clone(before)
	if lawful, _ := parent.Inject(t, opentracing.HTTPHeadersCarrier(r.Header)); !lawful {
		dropUnsendable(r.Header, before)
	}
}

// dropUnsendable removes what a tracer has added but cannot be sent: http.Transport would refuse the whole request.
func dropUnsendable(h, before http.Header) {
	for name, values := range h {
		if _, callers := before[name]; callers {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) || slices.ContainsFunc(values, unsendable) {
			delete(h, name)
		}
	}
}

func unsendable(value string) bool { return !httpguts.ValidHeaderFieldValue(value) }

// pass sends a request that is not traced, in the trace of the span it comes from.
func (c *call) pass(tracer opentracing.Tracer) (*http.Response, error) {
	active := rpcspan.Active(c.parent)
	if !active.IsValid() || !callPredicate(&c.span, c.config.inject, c.original, true, false) {
		return c.base.RoundTrip(c.original)
	}
	out := c.original.WithContext(c.parent)
	inject(out, tracer, &active)
	resp, err := c.base.RoundTrip(out)
	c.restore(resp, out)
	return resp, err
}

// restore lets the caller find its own request in the response.
func (c *call) restore(resp *http.Response, out *http.Request) {
	if resp != nil && resp.Request == out {
		resp.Request = c.original
	}
}

// callKey finds the state of the round trip in its context.
type callKey struct{}

// sent reports whether a Transport has already made a span of this very request, and not of another one that is
// sent in its course, such as for a token.
func sent(r *http.Request) bool {
	c, ok := r.Context().Value(callKey{}).(*call)
	if !ok {
		return false
	}
	if sameHeader(c.headers, r.Header) {
		return true
	}
	for _, name := range [...]string{"Traceparent", "Uber-Trace-Id", "X-B3-Spanid", "B3"} {
		if mine, its := c.headers[name], r.Header[name]; len(mine) == 1 && len(its) == 1 && mine[0] == its[0] {
			return true
		}
	}
	a, b := c.original.URL, r.URL
	return c.original.Method == r.Method && a.Scheme == b.Scheme && a.Host == b.Host && a.Path == b.Path && a.RawQuery == b.RawQuery
}

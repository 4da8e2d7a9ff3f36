package httpmw

import (
	"maps"
	"net/http"
	"slices"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"golang.org/x/net/http/httpguts"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// inject puts the headers of sc on r, replacing stale ones, in a map of its own.
func inject(tracer opentracing.Tracer, sc opentracing.SpanContext, r *http.Request) http.Header {
	before := r.Header
	r.Header = maps.Clone(before)
	_ = tracer.Inject(sc, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header)) // then it goes without
	if mayHaveBaggage(sc) {
		dropUnsendable(r.Header, before)
	}
	return r.Header
}

// mayHaveBaggage asks jaeger's contexts, for which that costs nothing, and is true for others.
func mayHaveBaggage(sc opentracing.SpanContext) (has bool) {
	j, ok := sc.(jaeger.SpanContext)
	if ok {
		j.ForeachBaggageItem(func(string, string) bool { has = true; return false })
	}
	return has || !ok
}

// dropUnsendable removes what a tracer has added but cannot be sent. Tracers without our propagator make headers of
// any baggage, also of such that a remote caller made up, and http.Transport refuses the whole request then.
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
	if active == nil || !ask(&c.span, c.config.inject, c.original, true, false) {
		return c.base.RoundTrip(c.original)
	}
	out := c.original.WithContext(c.parent)
	inject(tracer, active, out)
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

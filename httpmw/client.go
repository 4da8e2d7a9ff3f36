package httpmw

import (
	"context"
	"net/http"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Transport returns a RoundTripper that makes one client span of each round trip and sends the span's context in the
// request's headers. The span ends when the response's body has been read to its end, when reading it fails or when it
// is closed, at once if there is no body, and at the latest with the request's context. If tracer is nil,
// [opentracing.GlobalTracer] is looked up on every request; if base is nil, [http.DefaultTransport] sends. If a
// Transport further out already traces the request, this one makes no span, but its hooks and observers are called.
// Requests that the kit itself sends, such as batches of spans, are never traced.
func Transport(tracer opentracing.Tracer, base http.RoundTripper, opts ...ClientOption) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	c := &config{values: newValueCache()}
	for _, o := range opts {
		if o != nil {
			o.client(c)
		}
	}
	return &transport{config: c.done(ext.SpanKindRPCClientEnum), tracer: tracer, base: base}
}

// Client returns a copy of base that sends through a [Transport] on top of base's own. If base is nil, it copies
// [http.DefaultClient].
func Client(tracer opentracing.Tracer, base *http.Client, opts ...ClientOption) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	c := *base
	c.Transport = Transport(tracer, base.Transport, opts...)
	return &c
}

type routeKey struct{}

// ContextWithRoute returns a context whose client spans are named by the method and this template, such as
// "/users/{id}", and tagged with it as url.template. The template must be one of a bounded number.
func ContextWithRoute(ctx context.Context, template string) context.Context {
	return context.WithValue(ctx, routeKey{}, template)
}

type transport struct {
	*config
	tracer opentracing.Tracer
	base   http.RoundTripper
}

// Unwrap returns the transport below.
func (t *transport) Unwrap() http.RoundTripper { return t.base }

// CloseIdleConnections implements the method that [http.Client.CloseIdleConnections] calls.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	tracer, ok := rpcspan.Tracer(t.tracer)
	if !ok && !t.observed || r == nil || r.URL == nil || r.Header == nil || quiet.Is(r.Context()) {
		return t.untraced(r)
	}
	outer := outerCall(r)
	if outer != nil && outer.span.Started() {
		if addHooks(&outer.joined, &outer.span, withMethod(r, outer.method), t.config, outer.allHooks(), outer.config) {
			return t.base.RoundTrip(r)
		}
		outer = nil // it has just ended
	}
	s := newClientState(t, r)
	if outer != nil {
		hooks := t.hooks.Without(outer.allHooks())
		s.hooks, s.outer = &hooks, outer
	}
	if ok {
		s.start(tracer)
	}
	return s.roundTrip()
}

package httpmw

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/go-chi/chi/v5"
)

// requestContext is the context that a handler sees: its parent with the span in it.
type requestContext request

// requestKey finds the state of the request in its context.
type requestKey struct{}

func (c *requestContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.parent.Done() }
func (c *requestContext) Err() error                  { return c.parent.Err() }

func (c *requestContext) Value(key any) any {
	switch {
	case key == requestKey{}:
		return (*request)(c)
	case key == callKey{}:
		return nil // what a handler sends is not what its caller has sent
	case key == chi.RouteCtxKey && !c.insideChi && c.routes != nil:
		return c.routeContext()
	}
	if span := c.span.Value(key); span != nil {
		return span
	}
	return c.parent.Value(key)
}

// routeContext is the one that chi will use for this request, and so one that can be asked for the route when the
// request is over. Only a router that is known to be the one below gets one.
func (c *requestContext) routeContext() *chi.Context {
	if rctx := c.chi.Load(); rctx != nil {
		return rctx
	}
	rctx := chi.NewRouteContext()
	rctx.Routes = c.routes
	if c.chi.CompareAndSwap(nil, rctx) {
		return rctx
	}
	return c.chi.Load()
}

var _ context.Context = (*requestContext)(nil)

// traced reports whether a middleware has already made a span of this very request, and not of another one in
// whose course this one is served.
func traced(r *http.Request) bool {
	s, ok := r.Context().Value(requestKey{}).(*request)
	if !ok {
		return false
	}
	o := s.original
	return o == r || sameHeader(o.Header, r.Header) ||
		r.RequestURI != "" && o.RequestURI == r.RequestURI && o.Method == r.Method && o.RemoteAddr == r.RemoteAddr
}

// sameHeader reports whether two headers are one map.
func sameHeader(a, b http.Header) bool {
	return a != nil && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

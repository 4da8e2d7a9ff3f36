package httpmw

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/woven"
)

// serverState is the state of one request on a server. It backs the handler's context, its request and its
// [http.ResponseWriter], which saves three allocations. Its size matters: it is most of what a request costs.
type serverState struct {
	*handler
	span     rpcspan.Span
	out      response
	original *http.Request   // as it came in; only read
	copy     http.Request    // as the handler has it
	body     io.ReadCloser   // the Body of copy, if it is not that of original; a pointer
	parent   context.Context // which the handler's context is derived from
	hooks    *hookList       // of this middleware, without observers that an outer one calls
	outer    *serverState    // of a middleware further out that has no span; nil if there is none

	name  string       // operation name, at first the one that the span is started with
	route string       // "" if unknown
	chi   *chi.Context // of the router that the middleware is in
	root  *chi.Mux     // the router that route was found in

	final    bool // route is not looked up again when the handler has run
	settled  bool // no middleware further in can know more of route
	private  bool // nobody but the middleware has the original request, so that nothing is handed back
	tagged   bool // the tags of the request have been set
	ended    atomic.Bool
	routeSet atomic.Pointer[setRoute] // nil until SetRoute, or a middleware further in, sets one
	reported atomic.Pointer[string]   // template that woven code found inside a router
	joined   joinedHooks
}

// allHooks returns the hooks of this middleware and of those further out.
func (s *serverState) allHooks() hookList {
	all := *s.hooks
	for o := s.outer; o != nil; o = o.outer {
		all = append(slices.Clip(all), *o.hooks...)
	}
	return all
}

// stateKey is the key of the serverState in the context of its request.
type stateKey struct{}

// serverContext is the context that the handler sees: its parent with the span in it.
type serverContext struct{ s *serverState }

func (c serverContext) Deadline() (time.Time, bool) { return c.s.parent.Deadline() }
func (c serverContext) Done() <-chan struct{}       { return c.s.parent.Done() }
func (c serverContext) Err() error                  { return c.s.parent.Err() }

func (c serverContext) Value(key any) any {
	if c.s.woven != nil {
		if c.s.span.Discarded() {
			return c.s.original.Context().Value(key)
		}
		if key == (woven.RequestKey{}) {
			return &c.s.span
		}
	}
	switch key {
	case stateKey{}:
		return c.s
	case callKey{}:
		if !c.s.ended.Load() { // afterwards the context may have been handed back
			return nil // a request that the handler sends is not the one that its own caller has sent
		}
	}
	if span := c.s.span.Value(key); span != nil {
		return span
	}
	return c.s.parent.Value(key)
}

// String describes the context as those of package context do. Without it fmt would print the state, which other
// goroutines write to.
func (c serverContext) String() string {
	if parent, ok := c.s.parent.(fmt.Stringer); ok {
		return parent.String() + ".WithSpan"
	}
	return reflect.TypeOf(c.s.parent).String() + ".WithSpan"
}

// GoString is String, for the same reason.
func (c serverContext) GoString() string { return c.String() }

// stateOf returns the state of the request that ctx belongs to, or nil. The request may have ended.
func stateOf(ctx context.Context) *serverState {
	s, _ := ctx.Value(stateKey{}).(*serverState)
	return s
}

// outerState returns the state that a middleware further out keeps of this very request, or nil. A request in whose
// course r is served is another one, and one that has ended counts no more: its context may have been handed back.
func outerState(r *http.Request) *serverState {
	s := stateOf(r.Context())
	for s != nil && s.ended.Load() {
		s = stateOf(s.parent)
	}
	if s == nil || !s.serves(r) {
		return nil
	}
	return s
}

func (s *serverState) serves(r *http.Request) bool {
	o := s.original
	return o == r || sameHeader(o.Header, r.Header) ||
		r.RequestURI != "" && o.RequestURI == r.RequestURI && o.Method == r.Method && o.RemoteAddr == r.RemoteAddr
}

// sameHeader reports whether two headers are one map.
func sameHeader(a, b http.Header) bool {
	return a != nil && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

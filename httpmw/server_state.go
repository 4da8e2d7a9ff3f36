package httpmw

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// serverState is the state of one request on a server. It backs the handler's context, its request and its
// http.ResponseWriter, which saves three allocations.
type serverState struct {
	*handler
	span     rpcspan.Span
	out      response
	original *http.Request   // as it came in; only read
	copy     http.Request    // as the handler has it
	body     io.ReadCloser   // the Body of copy, if it is not that of original; a pointer
	parent   context.Context // which the handler's context is derived from
	hooks    endHooks        // of this middleware, without observers that an outer one calls

	name        string // operation name, at first the one that the span is started with
	route       string // "" if unknown
	final       bool   // route is not looked up again when the handler has run
	patternSeen string // Pattern of original when it came in
	tagged      bool   // the tags of the request have been set
	chi         *chi.Context
	root        chi.Routes // the router that route was found in
	mayRun      bool       // the response is that of a timeout inside chi, so that chi may still be routing

	routeSet atomic.Pointer[string] // by SetRoute
	joined   atomic.Pointer[joinedHooks]
	ended    atomic.Bool
}

// stateKey is the key of the serverState in the context of its request.
type stateKey struct{}

// serverContext is the context that the handler sees: its parent with the span in it.
type serverContext struct{ s *serverState }

func (c serverContext) Deadline() (time.Time, bool) { return c.s.parent.Deadline() }
func (c serverContext) Done() <-chan struct{}       { return c.s.parent.Done() }
func (c serverContext) Err() error                  { return c.s.parent.Err() }

func (c serverContext) Value(key any) any {
	switch key {
	case stateKey{}:
		return c.s
	case callKey{}:
		return nil // a request that the handler sends is not the one that its own caller has sent
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

// joinedHooks are hooks of a middleware further in, which finds that the request is traced already.
type joinedHooks struct {
	config *config
	hooks  endHooks
	next   *joinedHooks // those that joined before
}

// joinClosed is the list of a state whose hooks have been called.
var joinClosed = new(joinedHooks)

// join adds the hooks of an inner middleware to those of this request, and notifies its observers of the start. It
// returns false if the request has ended.
func (s *serverState) join(c *config, r *http.Request) bool {
	if len(c.hooks) == 0 || c == s.config {
		return !s.ended.Load()
	}
	n := &joinedHooks{config: c}
	for {
		n.next = s.joined.Load()
		if n.next == joinClosed {
			return false
		}
		n.hooks = c.hooks.without(s.hooks)
		for j := n.next; j != nil; j = j.next {
			if j.config == c {
				return true
			}
			n.hooks = n.hooks.without(j.hooks)
		}
		if s.joined.CompareAndSwap(n.next, n) {
			n.hooks.started(&s.span, r)
			return true
		}
	}
}

// callHooks calls the request's hooks, those of the outermost middleware first, and returns whether the request failed.
func (s *serverState) callHooks(facts *Outcome) (isError bool) {
	isError = s.hooks.ended(&s.span, &s.copy, facts)
	var inOrder []*joinedHooks
	for j := s.joined.Swap(joinClosed); j != nil; j = j.next {
		inOrder = append(inOrder, j)
	}
	for i := len(inOrder) - 1; i >= 0; i-- {
		facts.IsError = isError
		isError = inOrder[i].hooks.ended(&s.span, &s.copy, facts)
	}
	return isError
}

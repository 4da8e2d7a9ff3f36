package httpmw

import (
	"net/http"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// joinedList are the hooks of middlewares or transports further in, which found that the request is traced already.
// Its zero value is empty.
type joinedList struct{ last atomic.Pointer[joinedHooks] }

type joinedHooks struct {
	config *config
	hooks  endHooks
	before *joinedHooks // those that joined before
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

// joinClosed ends up in a list whose hooks have been called.
var joinClosed = new(joinedHooks)

// add adds the hooks of c, and notifies its observers of the start of r. Hooks of a config that has joined already, or
// that is the request's own, are not added again, nor are observers that own has. It returns false if the hooks have
// been called.
func (l *joinedList) add(s *rpcspan.Span, r *http.Request, c *config, own endHooks, ownConfig *config) bool {
	if len(c.hooks) == 0 || c == ownConfig {
		return l.last.Load() != joinClosed
	}
	n := &joinedHooks{config: c}
	for {
		n.before = l.last.Load()
		if n.before == joinClosed {
			return false
		}
		n.hooks = c.hooks.without(own)
		for j := n.before; j != nil; j = j.before {
			if j.config == c {
				return true
			}
			n.hooks = n.hooks.without(j.hooks)
		}
		if l.last.CompareAndSwap(n.before, n) {
			n.hooks.started(s, r)
			return true
		}
	}
}

// ended closes the list and calls all hooks, the request's own first, then those that joined, in that order. It
// returns whether the request failed.
func (l *joinedList) ended(s *rpcspan.Span, r *http.Request, facts *Outcome, own endHooks) (isError bool) {
	isError = own.ended(s, r, facts)
	var inOrder []*joinedHooks
	for j := l.last.Swap(joinClosed); j != nil; j = j.before {
		inOrder = append(inOrder, j)
	}
	for i := len(inOrder) - 1; i >= 0; i-- {
		facts.IsError = isError
		isError = inOrder[i].hooks.ended(s, r, facts)
	}
	return isError
}

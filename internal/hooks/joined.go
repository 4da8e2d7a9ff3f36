package hooks

import (
	"slices"
	"sync/atomic"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Joined are the hooks of middlewares further in, which found that the request is traced already. The zero value is
// empty. It may be used concurrently.
type Joined[R, O any] struct{ last atomic.Pointer[joined] }

type joined struct {
	owner  any
	hooks  any     // List[R, O]; not a parameter of the type, so that there is one closed list for all of them
	before *joined // those that joined before
}

// closed ends up in a list whose hooks have been called.
var closed = new(joined)

// Add adds the hooks of owner, a pointer to a middleware's configuration, and notifies its observers of the start of r.
// Hooks of an owner that has joined already are not added again, nor are observers that own has. It returns false if
// the list is closed.
func (j *Joined[R, O]) Add(s *rpcspan.Span, r R, owner any, hooks, own List[R, O]) bool {
	for {
		before := j.last.Load()
		if before == closed || len(hooks) == 0 {
			return before != closed
		}
		added := hooks.Without(own)
		for b := before; b != nil; b = b.before {
			if b.owner == owner {
				return true
			}
			added = added.Without(b.hooks.(List[R, O]))
		}
		if j.last.CompareAndSwap(before, &joined{owner, added, before}) {
			added.Started(s, r)
			return true
		}
	}
}

// Hooks returns the hooks of all that have joined, unless the list is closed.
func (j *Joined[R, O]) Hooks() (all List[R, O]) {
	for b := j.last.Load(); b != nil && b != closed; b = b.before {
		all = append(all, b.hooks.(List[R, O])...)
	}
	return all
}

// CloseEmpty closes the list if nobody has joined, and reports whether it is closed.
func (j *Joined[R, O]) CloseEmpty() bool {
	return j.last.CompareAndSwap(nil, closed) || j.last.Load() == closed
}

// Ended closes the list and calls all hooks: own, which are those of the request's own middleware, and then those that
// joined, in that order. The observers of all are called after the outcome hooks of all.
func (j *Joined[R, O]) Ended(s *rpcspan.Span, r R, o *Outcome[O], own List[R, O]) {
	inOrder := []List[R, O]{own}
	for b := j.last.Swap(closed); b != nil && b != closed; b = b.before {
		inOrder = slices.Insert(inOrder, 1, b.hooks.(List[R, O]))
	}
	for _, l := range inOrder {
		l.ended(s, r, o, false)
	}
	for _, l := range inOrder {
		l.ended(s, r, o, true)
	}
}

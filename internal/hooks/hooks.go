// Package hooks calls what users hook into a middleware: outcome hooks and observers, which add up, and functions that
// decide something. A panic in one is recovered and counted on the span. It is what httpmw and grpcmw have in common;
// R is how the one or the other describes a request, and O its outcome.
package hooks

import (
	"reflect"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Hook is an outcome hook or an observer.
type Hook[R, O any] struct {
	Observer any     // the observer itself; nil for an outcome hook
	Started  func(R) // of the observer; nil for an outcome hook
	Ended    func(r R, span opentracing.Span, o *O)
}

// List has the hooks of one middleware in the order of its options.
type List[R, O any] []Hook[R, O]

// HasObserver reports whether one of the hooks is called for requests without a span, too.
func (l List[R, O]) HasObserver() bool {
	for i := range l {
		if l[i].Observer != nil {
			return true
		}
	}
	return false
}

// Started calls the observers. Panics are counted on s, which need not be started.
func (l List[R, O]) Started(s *rpcspan.Span, r R) {
	for i := range l {
		if l[i].Observer != nil {
			callStarted(s, &l[i], r)
		}
	}
}

func callStarted[R, O any](s *rpcspan.Span, h *Hook[R, O], r R) {
	defer s.RecoverHook()
	h.Started(r)
}

// Outcome is the outcome of a request as its hooks get it.
type Outcome[O any] struct {
	Facts   O                // what the hooks get a copy of: what one writes there, the next does not see
	Field   func(o *O) *bool // where O has whether the request failed, the one thing that a hook may change
	IsError bool             // whether it failed; each hook gets it as the one before left it
	copied  *O               // of Facts, for one hook after the other
}

// Ended calls the outcome hooks, which may change o.IsError, if s is started, and after them the observers: these see
// what the hooks have decided wherever they stand in the list.
func (l List[R, O]) Ended(s *rpcspan.Span, r R, o *Outcome[O]) {
	l.ended(s, r, o, false)
	l.ended(s, r, o, true)
}

// ended calls the observers, or else the outcome hooks.
func (l List[R, O]) ended(s *rpcspan.Span, r R, o *Outcome[O], observers bool) {
	for i := range l {
		if observers != (l[i].Observer != nil) || !observers && !s.Started() {
			continue
		}
		if o.copied == nil {
			o.copied = new(O)
		}
		*o.copied = o.Facts
		*o.Field(o.copied) = o.IsError
		if callEnded(s, &l[i], r, o.copied) {
			o.IsError = *o.Field(o.copied)
		}
	}
}

// callEnded returns false if the hook panics.
func callEnded[R, O any](s *rpcspan.Span, h *Hook[R, O], r R, o *O) (returned bool) {
	defer s.RecoverHook()
	span := s.OpenTracingSpan()
	if h.Observer != nil && s.Disabled() {
		span = nil
	}
	h.Ended(r, span, o)
	return true
}

// Without returns the hooks whose observers are not among others: an observer that two middlewares share is notified
// once for each request. Observers of an incomparable type are all kept.
func (l List[R, O]) Without(others List[R, O]) List[R, O] {
	var kept List[R, O]
	for i := range l {
		if l[i].Observer == nil || !others.has(l[i].Observer) {
			kept = append(kept, l[i])
		}
	}
	return kept
}

func (l List[R, O]) has(observer any) bool {
	for i := range l {
		if same(l[i].Observer, observer) {
			return true
		}
	}
	return false
}

func same(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() &&
		a == b
}

package httpmw

import (
	"net/http"
	"reflect"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/rpcspan"
)

// Observer is notified of the start and the end of every request: of those that [WithFilter] leaves out, of those that
// are not sampled, and of those that a disabled or missing tracer does not trace. Its methods are called by many
// goroutines at a time. A panic in one is recovered and counted on the span, if there is one. See [WithObserver].
type Observer interface {
	// Started is called on a server before the handler, on a client before the base transport. The method of r is the
	// one that [Outcome] has in the end, but for its spelling.
	Started(r *http.Request)

	// Ended is called when the span ends, or would end if there were one: on a server after the handler, on a client
	// after the response's body. Span is nil if the request has none. It may set o.IsError. It must not keep o, which
	// is used again for the next hook.
	Ended(r *http.Request, span opentracing.Span, o *Outcome)
}

// An endHook is called when a request ends. It is an outcome hook or an observer, the other is nil.
type endHook struct {
	outcome  func(span opentracing.Span, r *http.Request, o *Outcome)
	observer Observer
}

// endHooks are the hooks of one middleware or transport in the order of its options.
type endHooks []endHook

// haveObserver reports whether one of the hooks is called for requests without a span, too.
func (hooks endHooks) haveObserver() bool {
	for _, h := range hooks {
		if h.observer != nil {
			return true
		}
	}
	return false
}

// started calls the observers. Panics are counted on s, which need not be started.
func (hooks endHooks) started(s *rpcspan.Span, r *http.Request) {
	for _, h := range hooks {
		if h.observer != nil {
			callStarted(s, h.observer, r)
		}
	}
}

func callStarted(s *rpcspan.Span, o Observer, r *http.Request) {
	defer s.RecoverHook()
	o.Started(r)
}

// ended calls the hooks with a copy of facts, and returns IsError as the last of them left it. Each hook sees IsError
// as the one before left it; what a hook writes to other fields is discarded. Outcome hooks are called only if s is
// started. The duration ends now, if it is not set.
func (hooks endHooks) ended(s *rpcspan.Span, r *http.Request, facts *Outcome) (isError bool) {
	isError = facts.IsError
	if len(hooks) == 0 {
		return isError
	}
	if facts.Duration == 0 {
		facts.Duration = time.Since(s.StartTime())
	}
	o := new(Outcome)
	for _, h := range hooks {
		if h.observer == nil && !s.Started() {
			continue
		}
		*o = *facts
		o.IsError = isError
		isError = callEnded(s, h, r, o)
	}
	return isError
}

// callEnded returns o.IsError as the hook left it, or as it was if the hook panics.
func callEnded(s *rpcspan.Span, h endHook, r *http.Request, o *Outcome) (isError bool) {
	isError = o.IsError
	defer s.RecoverHook()
	if h.outcome != nil {
		h.outcome(s.OpenTracingSpan(), r, o)
		return o.IsError
	}
	span := s.OpenTracingSpan()
	if s.Disabled() {
		span = nil
	}
	h.observer.Ended(r, span, o)
	return o.IsError
}

// without returns the hooks whose observers are not among others: an observer that two middlewares share is notified
// once for each request. Observers of an incomparable type are all kept.
func (hooks endHooks) without(others endHooks) endHooks {
	var kept endHooks
	for _, h := range hooks {
		if h.observer == nil || !others.observe(h.observer) {
			kept = append(kept, h)
		}
	}
	return kept
}

func (hooks endHooks) observe(o Observer) bool {
	if !reflect.TypeOf(o).Comparable() {
		return false
	}
	for _, h := range hooks {
		if h.observer != nil && reflect.TypeOf(h.observer) == reflect.TypeOf(o) && h.observer == o {
			return true
		}
	}
	return false
}

package rpcspan

import (
	"fmt"
	"runtime/debug"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/semconv"
)

// Panicked marks the span as failed by a panic with this value, and adds tags that say so to l. It is called in the
// deferred function that recovered the value, which then panics again with the same value: there the stack still shows
// where the panic began.
func (s *Span) Panicked(value any, l *Tags) {
	if !s.Recording() {
		return
	}
	stack := debug.Stack()
	if len(stack) > semconv.MaxStack {
		stack = stack[:semconv.MaxStack]
	}
	message := semconv.MaskText(safeSprint(value))
	l.Add(semconv.ErrorType, semconv.PanicType)
	l.Add(semconv.StatusDescription, model.Cut(message, semconv.MaxMessage))
	s.Fail(semconv.PanicType, message, stack)
}

// safeSprint is [model.Sprint] for values whose methods may panic.
func safeSprint(v any) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T", v)
		}
	}()
	return model.Sprint(v)
}

package rpcspan

import (
	"fmt"
	"runtime/debug"

	"github.com/spanloom/spanloom/internal/model"
)

// maxStack bounds the recorded stack of a panic, in bytes.
const maxStack = 8 << 10

// Panicked marks the span as failed by a panic with this value, and adds tags that say so to l. It is called in the
// deferred function that recovered the value, which then panics again with the same value: there the stack still shows
// where the panic began.
func (s *Span) Panicked(value any, l *Tags) {
	if !s.Recording() {
		return
	}
	stack := debug.Stack()
	if len(stack) > maxStack {
		stack = stack[:maxStack]
	}
	message := safeSprint(value)
	l.Set("error.type", "panic")
	l.Set("otel.status_description", model.Cut(message, maxMessage))
	s.Fail("panic", message, stack)
}

// safeSprint is [fmt.Sprint] for values whose methods may panic.
func safeSprint(v any) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T", v)
		}
	}()
	return fmt.Sprint(v)
}

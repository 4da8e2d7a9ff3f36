package rpcspan

import (
	"fmt"
	"runtime/debug"

	"github.com/spanloom/spanloom/internal/model"
)

// maxStack bounds the stack kept of a panic.
const maxStack = 8 << 10

// Panicked marks the span as failed by a panic with this value, and adds tags of it to l. Call it in the deferred
// function that recovered the value, and panic again with the same value there: the stack then still shows where it came
// from.
func (s *Span) Panicked(value any, l *Tags) {
	if !s.Recording() {
		return
	}
	stack := debug.Stack()
	if len(stack) > maxStack {
		stack = stack[:maxStack]
	}
	message := text(value)
	l.Set("error.type", "panic")
	l.Set("otel.status_description", model.Cut(message, maxMessage))
	s.Fail("panic", message, stack)
}

// text is fmt.Sprint for values whose methods may panic, too.
func text(v any) (s string) {
	defer func() {
		if recover() != nil {
			s = fmt.Sprintf("%T", v)
		}
	}()
	return fmt.Sprint(v)
}

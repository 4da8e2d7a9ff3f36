package httpmw

import (
	"context"
	"fmt"
	"reflect"
	"time"
)

// clientContext is the context that the base transport sees: the caller's with the span in it.
type clientContext struct{ s *clientState }

// callKey is the key of the clientState in the context of its request.
type callKey struct{}

func (c clientContext) Deadline() (time.Time, bool) { return c.s.parent.Deadline() }
func (c clientContext) Done() <-chan struct{}       { return c.s.parent.Done() }
func (c clientContext) Err() error                  { return c.s.parent.Err() }

func (c clientContext) Value(key any) any {
	if key == (callKey{}) {
		return c.s
	}
	if span := c.s.span.Value(key); span != nil {
		return span
	}
	return c.s.parent.Value(key)
}

// String describes the context as those of package context do. Without it fmt would print the state, which other
// goroutines write to.
func (c clientContext) String() string {
	if parent, ok := c.s.parent.(fmt.Stringer); ok {
		return parent.String() + ".WithSpan"
	}
	return reflect.TypeOf(c.s.parent).String() + ".WithSpan"
}

// GoString is String, for the same reason.
func (c clientContext) GoString() string { return c.String() }

// context returns the context of the request that is sent.
func (s *clientState) context() context.Context {
	var ctx context.Context = clientContext{s}
	if s.config.events {
		s.events = &connEvents{tags: tagWriter{config: s.config, span: &s.span}}
		ctx = s.events.watch(ctx)
	}
	return ctx
}

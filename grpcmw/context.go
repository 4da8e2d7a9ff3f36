package grpcmw

import (
	"context"
	"fmt"
	"time"
)

// callKey finds the call of a server in the contexts below its interceptor.
type callKey struct{}

// callContext is the context below the interceptor: that of the RPC, with the span, and on a server with the call. Its
// size is that of a pointer, so making one costs no allocation.
type callContext struct{ c *call }

// orBackground returns a context for tests that call an interceptor by hand with none.
func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

func (c *call) context() context.Context { return callContext{c} }

func (w callContext) Deadline() (time.Time, bool) { return w.c.base.Deadline() }
func (w callContext) Done() <-chan struct{}       { return w.c.base.Done() }
func (w callContext) Err() error                  { return w.c.base.Err() }

func (w callContext) Value(key any) any {
	if w.c.cfg.woven != nil && w.c.span.Discarded() {
		return originOf(w.c.base).Value(key)
	}
	if key == (callKey{}) && !w.c.cfg.client {
		return w.c
	}
	if span := w.c.span.Value(key); span != nil {
		return span
	}
	return w.c.base.Value(key)
}

// String keeps fmt from printing the state of the call, which other goroutines write to.
func (w callContext) String() string {
	return fmt.Sprint(w.c.base) + ".WithSpan(" + w.c.method.bounded() + ")"
}

// GoString is String, for the same reason.
func (w callContext) GoString() string { return w.String() }

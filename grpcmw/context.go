package grpcmw

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
)

// servedKey finds the call that a server's context belongs to.
type servedKey struct{}

// within is a call seen as the context below its interceptor: the RPC's own, the span, on a server the mark that the RPC is
// traced, and on a client the metadata. Being the call itself it costs no allocation.
type within call

func (w *within) Deadline() (time.Time, bool) { return w.base.Deadline() }
func (w *within) Done() <-chan struct{}       { return w.base.Done() }
func (w *within) Err() error                  { return w.base.Err() }

func (w *within) Value(key any) any {
	if key == (servedKey{}) && !w.kind.client() {
		return (*call)(w)
	}
	if span := w.Span.Value(key); span != nil {
		return span
	}
	if c := w.client; c != nil && c.sends.added != nil && key == outgoing.key {
		return c.sends.boxed()
	}
	return w.base.Value(key)
}

// String keeps fmt from printing the call's state, which is in use.
func (w *within) String() string { return fmt.Sprint(w.base) + ".WithSpan(" + w.method.full + ")" }

// isServed reports whether an interceptor of ours is at work on this very RPC. An RPC that a handler serves within
// the process under its own context is another one.
func isServed(ctx context.Context, fullMethod string) bool {
	c, ok := ctx.Value(servedKey{}).(*call)
	return ok && c.method.full == fullMethod &&
		same(grpc.ServerTransportStreamFromContext(c.base), grpc.ServerTransportStreamFromContext(ctx))
}

// same compares streams of a type that anybody may have made. Two of a type that cannot be compared are taken for one.
func same(a, b grpc.ServerTransportStream) (same bool) {
	same = true
	defer func() { _ = recover() }()
	return a == b
}

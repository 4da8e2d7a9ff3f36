// Package woven is where code that is woven into a program at compile time meets what the program installs by hand. The
// rules are in the files orchestrion.yml beside each package, and docs/weaving.md describes them.
package woven

import (
	"context"
	"sync/atomic"
)

var forced atomic.Bool

// Active reports whether the program is built with the rules. A rule of its own makes it return true there; in all
// other programs it is false, so that what only matters beside woven code costs nothing.
func Active() bool { return forced.Load() }

// Force makes [Active] return true until restore is called. It is for tests of the hooks without a weaver.
func Force() (restore func()) {
	forced.Store(true)
	return func() { forced.Store(false) }
}

var provisional atomic.Bool

// Provisional reports whether the global tracer is one that woven code has started in func main, and that the program's
// own is to replace.
func Provisional() bool { return provisional.Load() }

// SetProvisional sets what [Provisional] returns.
func SetProvisional(is bool) { provisional.Store(is) }

// RequestKey is the key of the [Request] in the contexts of requests that woven code traces.
type RequestKey struct{}

// Request is a request that woven code traces. Discard drops its span.
type Request interface{ Discard() }

// Discard drops the span that woven code has started for the request with this context, if any. It is for handlers of
// the kit itself.
func Discard(ctx context.Context) {
	if !Active() {
		return
	}
	if r, ok := ctx.Value(RequestKey{}).(Request); ok {
		r.Discard()
	}
}

//go:build otherlayout

package tracerinit

import "github.com/spanloom/spanloom/internal/jaegerspan"

// With the build tag otherlayout, all tests of this package run as if jaeger.Span were laid out in another way than the
// kit knows: without the fast path.
func init() { jaegerspan.LayoutMatches = func() bool { return false } }

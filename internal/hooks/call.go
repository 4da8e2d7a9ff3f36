package hooks

import "github.com/spanloom/spanloom/internal/rpcspan"

// Call returns what a user's function returns, or otherwise if it panics, which is counted on s.
func Call[T any](s *rpcspan.Span, otherwise T, f func() T) (result T) {
	result = otherwise
	defer s.RecoverHook()
	return f()
}

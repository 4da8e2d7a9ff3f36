package grpcmw

import (
	"google.golang.org/grpc/codes"

	"github.com/spanloom/spanloom/internal/hooks"
)

// isErrorByDefault is the default error policy. A server fails by what is its own fault. To a client every code is a
// failure but OK and Canceled, which it wanted itself.
func isErrorByDefault(client bool, code codes.Code) bool {
	if client {
		return code != codes.OK && code != codes.Canceled
	}
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	}
	return false
}

// isError applies the error policy. If the user's policy panics, the default decides.
func (c *call) isError(code codes.Code) bool {
	byDefault := isErrorByDefault(c.cfg.client, code)
	if c.cfg.errorPolicy == nil {
		return byDefault
	}
	return hooks.Call(&c.span, byDefault, func() bool {
		return c.cfg.errorPolicy(c.method.full, c.cfg.client, code)
	})
}

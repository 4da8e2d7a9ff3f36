package grpcmw

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// failsByDefault is the default error policy. A server fails by what is its own fault; to a client everything is a
// failure but what it wanted itself.
func failsByDefault(_ string, client bool, code codes.Code) bool {
	if client {
		return code != codes.OK && code != codes.Canceled
	}
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	}
	return false
}

// isProbe reports whether a service is asked by machines about the server itself: health and reflection.
func isProbe(service string) bool {
	return service == "grpc.health.v1.Health" || strings.HasPrefix(service, "grpc.reflection.")
}

// condition is how an RPC ended.
type condition struct {
	code     codes.Code
	message  string
	panicked bool
}

// statusOf is what gRPC makes of an error. Errors with methods of their own may panic, such as typed nils.
func statusOf(err error) (s condition) {
	if err == nil {
		return condition{}
	}
	s.code = codes.Unknown
	defer func() { _ = recover() }()
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	return condition{code: st.Code(), message: st.Message()}
}

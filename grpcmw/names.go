package grpcmw

import (
	"strings"

	"github.com/spanloom/spanloom/internal/hooks"
)

// UnknownMethod is the operation name of an RPC whose method a remote caller may have made up, so that the names have a
// bound: on a server, of an RPC that only a [grpc.UnknownServiceHandler] answers, and of the bidi streams of a service
// that was registered without an implementation, which gRPC describes in the same way; on a client, of an RPC that
// passes such a one on, of a method with a name of over 1 KiB, and of every further method once the interceptor has
// seen 512. Hooks get it in place of the method, too; the tag rpc.method_original has the beginning of what was called.
const UnknownMethod = "grpc.unknown_method"

// operationName returns the name that the span starts with.
func (c *call) operationName() string {
	if c.cfg.name != nil {
		name := hooks.Call(&c.span, "", func() string { return c.cfg.name(c.method.bounded()) })
		if name != "" {
			return name
		}
	}
	if c.cfg.semconv == OTel {
		return strings.TrimPrefix(c.method.bounded(), "/")
	}
	return c.method.bounded()
}

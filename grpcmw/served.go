package grpcmw

import (
	"context"
	"time"

	"google.golang.org/grpc"
)

// servedKey finds the call that a server's context belongs to.
type servedKey struct{}

// served is a call seen as a context: the RPC's own with the mark that it is traced. Being the call itself it costs
// no allocation.
type served call

func (s *served) Deadline() (time.Time, bool) { return s.base.Deadline() }
func (s *served) Done() <-chan struct{}       { return s.base.Done() }
func (s *served) Err() error                  { return s.base.Err() }

func (s *served) Value(key any) any {
	if key == (servedKey{}) {
		return (*call)(s)
	}
	return s.base.Value(key)
}

// isServed reports whether an interceptor of ours is at work on this very RPC. An RPC that a handler serves within
// the process under its own context is another one.
func isServed(ctx context.Context, fullMethod string) bool {
	c, ok := ctx.Value(servedKey{}).(*call)
	return ok && c.method.full == fullMethod &&
		grpc.ServerTransportStreamFromContext(c.base) == grpc.ServerTransportStreamFromContext(ctx)
}

package grpcmw

import (
	"reflect"
	"runtime"
	"sync/atomic"

	"google.golang.org/grpc"
)

// This file recognises gRPC's own invoker by the name of its function, so that a unary RPC without further interceptors
// records the true peer and the server's trace id. Where it fails, peer.address is the target that was dialled and
// grpc.server_trace_id is missing; nothing else depends on it. Streams need none of this.

// invokerName is the name of the function that gRPC passes to the last interceptor. TestInvokerName fails if a version
// of gRPC renames it.
const invokerName = "google.golang.org/grpc.invoke"

// invokers remembers the entry points of the invokers that were seen, since looking up a name is slow.
type invokers struct {
	transport atomic.Uintptr // gRPC's own
	other     atomic.Uintptr // the last other one
}

// isTransport reports whether an invoker is gRPC's own and not that of an interceptor.
func (v *invokers) isTransport(invoker grpc.UnaryInvoker) bool {
	entry := reflect.ValueOf(invoker).Pointer()
	switch entry {
	case v.transport.Load():
		return true
	case v.other.Load():
		return false
	}
	if f := runtime.FuncForPC(entry); f != nil && f.Name() == invokerName {
		v.transport.Store(entry)
		return true
	}
	v.other.Store(entry)
	return false
}

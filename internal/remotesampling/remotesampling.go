// Package remotesampling connects the remote sampler of package tracerinit with the gRPC client of package otlpgrpc, so
// that programs without the latter do not link grpc.
package remotesampling

import (
	"context"
	"sync/atomic"
)

// Method is the full name of the RPC that returns a strategy:
// https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v2/sampling.proto
const Method = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy"

// Target is a sampling server that speaks gRPC.
type Target struct {
	HostPort string
	Secure   bool // TLS
}

// Client calls [Method].
type Client interface {
	// Call sends the message SamplingStrategyParameters and returns the message SamplingStrategyResponse.
	Call(ctx context.Context, request []byte) (response []byte, err error)
	// Close releases the connection. It does not block.
	Close()
}

var dial atomic.Pointer[func(Target) (Client, error)]

// RegisterGRPC sets the function that makes clients.
func RegisterGRPC(f func(Target) (Client, error)) { dial.Store(&f) }

// GRPC returns the function that makes clients. ok is false if package otlpgrpc is not linked.
func GRPC() (f func(Target) (Client, error), ok bool) {
	if p := dial.Load(); p != nil {
		return *p, true
	}
	return nil, false
}

package grpcmw

import (
	"context"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/opentracing/opentracing-go"
)

// Call is the RPC that an [Observer] is notified of. All its fields have a bounded number of values.
type Call struct {
	Method string // full, with its leading slash; [UnknownMethod] if a remote caller may have made it up
	Type   interceptors.GRPCType
	Client bool // whether this process makes the call, as opposed to serving it
}

// Observer is notified of the start and the end of every RPC: of those that [WithFilter] leaves out, of those that are
// not sampled, and of those that a disabled or missing tracer does not trace. Its methods are called by many goroutines
// at a time. A panic in one is recovered and counted on the span, if there is one. See [WithObserver].
type Observer interface {
	// Started is called on a server before the handler, on a client before the invoker or streamer.
	Started(ctx context.Context, call Call)

	// Ended is called when the span ends, or would end if there were one: after the handler, after the invoker, or when
	// a client's stream has ended. Span is nil if the RPC has none. It may set o.IsError. It must not keep o, which is
	// used again for the next hook. ctx is that of the handler or the invoker.
	Ended(ctx context.Context, call Call, span opentracing.Span, o *Outcome)
}

package grpcmw

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// incomingKey is the key under which gRPC keeps the metadata of a request in its context. It is private there, so it is
// learned once, by asking gRPC for a value of a context that notes what it is asked for. With the key the metadata can
// be read without the copy that metadata.FromIncomingContext makes, which costs more than everything else an
// interceptor does. Should gRPC keep something else there one day, the type assertion in peek fails, and all goes
// through gRPC's own functions: only speed is lost.
var incomingKey = rpcspan.ContextKeyOf(func(ctx context.Context) { metadata.ValueFromIncomingContext(ctx, "") })

// peek returns the metadata of a request itself. Others may be reading it, too; nobody may write to it once it is in a
// context, by the contract of metadata.NewIncomingContext.
func peek(ctx context.Context) (md metadata.MD, ok bool) {
	if incomingKey != nil {
		md, ok = ctx.Value(incomingKey).(metadata.MD)
	}
	return md, ok
}

// headersOf returns the metadata of a request as a carrier.
func headersOf(ctx context.Context) any {
	if md, ok := peek(ctx); ok {
		return carrier.Multi(md)
	}
	return incoming{ctx}
}

// sentBy returns the values of a key that gRPC itself or its retries write, always in lower case.
func sentBy(ctx context.Context, key string) []string {
	if md, ok := peek(ctx); ok {
		return md[key]
	}
	return metadata.ValueFromIncomingContext(ctx, key)
}

// incoming reads metadata the way gRPC offers it: single keys cheaply, all of them in a copy.
type incoming struct{ ctx context.Context }

// Values returns the values of a key in lower case.
func (in incoming) Values(key string) []string {
	return metadata.ValueFromIncomingContext(in.ctx, key)
}

// ForeachKey implements opentracing.TextMapReader.
func (in incoming) ForeachKey(handler func(key, value string) error) error {
	md, _ := metadata.FromIncomingContext(in.ctx)
	return carrier.Multi(md).ForeachKey(handler)
}

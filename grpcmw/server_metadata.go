package grpcmw

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

// incomingKey is the key under which gRPC stores the metadata of a request in its context. The key is private, so it is
// recorded from a look-up. With the key, the metadata is read without the copy that [metadata.FromIncomingContext]
// makes, which would cost more than everything else in an interceptor. If gRPC stored something else there, the type
// assertion in incomingMD would fail and gRPC's own functions would be called: only speed would be lost.
var incomingKey = rpcspan.ContextKeyOf(func(ctx context.Context) { metadata.ValueFromIncomingContext(ctx, "") })

// incomingMD returns the metadata of a request itself. It is only read: by the contract of
// [metadata.NewIncomingContext] nobody may write to it once it is in a context.
func incomingMD(ctx context.Context) (md metadata.MD, ok bool) {
	if incomingKey != nil {
		md, ok = ctx.Value(incomingKey).(metadata.MD)
	}
	return md, ok
}

// incomingCarrier returns the metadata of a request as a carrier.
func incomingCarrier(ctx context.Context) any {
	if md, ok := incomingMD(ctx); ok {
		return carrier.Multi(md)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return carrier.Multi(md)
}

// incomingValues returns the values of a key that gRPC or a retry writes, which is in lower case.
func incomingValues(ctx context.Context, key string) []string {
	if md, ok := incomingMD(ctx); ok {
		return md[key]
	}
	return metadata.ValueFromIncomingContext(ctx, key)
}

package grpcmw

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
)

// incomingKey is the key under which gRPC keeps the metadata of a request. It is private there, so it is learned by
// asking: with it the metadata can be read without the copy that metadata.FromIncomingContext makes, which costs
// more than everything else an interceptor does. Without it, should gRPC change, only speed is lost.
var incomingKey = learnKey()

func learnKey() any {
	l := &listener{Context: context.Background()}
	metadata.ValueFromIncomingContext(l, "")
	return l.key
}

type listener struct {
	context.Context
	key any
}

func (l *listener) Value(key any) any {
	l.key = key
	return nil
}

// headersOf returns the metadata of a request as a carrier to be read only.
func headersOf(ctx context.Context) any {
	if incomingKey != nil {
		if md, ok := ctx.Value(incomingKey).(metadata.MD); ok {
			return carrier.Multi(md)
		}
	}
	return incoming{ctx}
}

// valuesOf returns the values of a key in lower case, to be read only.
func valuesOf(ctx context.Context, key string) []string {
	if incomingKey != nil {
		if md, ok := ctx.Value(incomingKey).(metadata.MD); ok {
			return lookUp(md, key)
		}
	}
	return metadata.ValueFromIncomingContext(ctx, key)
}

// lookUp finds a key that may be written in any case, if gRPC did not make the metadata.
func lookUp(md metadata.MD, key string) []string {
	if vs, ok := md[key]; ok {
		return vs
	}
	for k, vs := range md {
		if len(k) == len(key) && strings.EqualFold(k, key) {
			return vs
		}
	}
	return nil
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

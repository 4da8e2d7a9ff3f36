package otlpgrpc

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/remotesampling"
)

const strategyBytes = 1 << 20

// samplingClient gets strategies from a Jaeger sampling server. Its connection is its own: it has no interceptors.
type samplingClient struct{ cc *grpc.ClientConn }

// dialSampling makes a client. It connects when it is first used.
func dialSampling(t remotesampling.Target) (remotesampling.Client, error) {
	creds := insecure.NewCredentials()
	if t.Secure {
		creds = credentials.NewTLS(nil)
	}
	cc, err := dial(target{dial: "dns:///" + strings.ReplaceAll(t.HostPort, "%", "%25")}, creds) // of an IPv6 zone
	if err != nil {
		return nil, errors.New("the sampling server's address cannot be used with gRPC")
	}
	return &samplingClient{cc}, nil
}

// Call implements [remotesampling.Client].
func (c *samplingClient) Call(ctx context.Context, request []byte) ([]byte, error) {
	var response []byte
	err := c.cc.Invoke(ctx, remotesampling.Method, &request, &response,
		grpc.ForceCodecV2(bytesCodec{}), grpc.MaxCallRecvMsgSize(strategyBytes))
	if err != nil {
		s := status.Convert(err)
		return nil, errors.New(s.Code().String() + ": " + s.Message())
	}
	return response, nil
}

// Close implements [remotesampling.Client].
func (c *samplingClient) Close() { c.cc.Close() }

// bytesCodec sends and receives messages that are encoded already, as *[]byte.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

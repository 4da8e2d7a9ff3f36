package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // clients may compress
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/traceview"
)

const (
	maxMessage = 16 << 20 // bytes of a request, after decompression
	maxCalls   = 4        // requests that are decoded at the same time
)

// raw is a message as it came: the view decodes it itself, so that no generated code is needed.
type raw []byte

// rawCodec hands messages over as bytes.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(raw)
	if !ok {
		return nil, fmt.Errorf("cannot write a %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*raw)
	if !ok {
		return fmt.Errorf("cannot read a %T", v)
	}
	*b = data.Materialize()
	return nil
}

// collector is the trace service of https://github.com/open-telemetry/opentelemetry-proto.
type collector struct {
	view  *traceview.View
	hosts *hosts
	slots chan struct{}
}

func newGRPC(view *traceview.View, hosts *hosts) *grpc.Server {
	c := &collector{view, hosts, make(chan struct{}, maxCalls)}
	s := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{}), grpc.MaxRecvMsgSize(maxMessage), grpc.MaxConcurrentStreams(100),
		grpc.MaxHeaderListSize(64<<10), grpc.ConnectionTimeout(10*time.Second), grpc.UnknownServiceHandler(tracesOnly))
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "opentelemetry.proto.collector.trace.v1.TraceService",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: export}},
	}, c)
	return s
}

func export(c any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	return c.(*collector).export(ctx, decode)
}

func (c *collector) export(ctx context.Context, decode func(any) error) (any, error) {
	if md, _ := metadata.FromIncomingContext(ctx); len(md[":authority"]) > 0 && !c.hosts.allowName(md[":authority"][0]) {
		return nil, status.Error(codes.PermissionDenied, "spanview: the :authority is not a name of this machine; see -names")
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	var message raw
	if err := decode(&message); err != nil {
		return nil, err
	}
	rejected, err := c.view.Receive(traceview.OTLPProtobuf, message)
	switch {
	case errors.Is(err, model.ErrTooLarge):
		return nil, status.Error(codes.ResourceExhausted, err.Error())
	case err != nil:
		return nil, status.Error(codes.InvalidArgument, err.Error())
	case rejected > 0:
		return raw(otlp.AppendResponse(nil, int64(rejected), "over the limit of spans or bytes of one trace")), nil
	}
	return raw{}, nil
}

func tracesOnly(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	return status.Errorf(codes.Unimplemented, "spanview takes traces alone, not %.100s. Set %s", method, noMetrics)
}

// stopGRPC waits for calls that are being served, and then breaks them off.
func stopGRPC(s *grpc.Server, patience time.Duration) {
	timer := time.AfterFunc(patience, s.Stop)
	defer timer.Stop()
	s.GracefulStop()
}

package grpc_test

import (
	"context"
	"testing"

	vtgrpc "github.com/planetscale/vtprotobuf/codec/grpc"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/spantest"
)

// note is a message as vtprotobuf generates them, and no message of protobuf's own library.
type note struct{ text string }

func (n *note) MarshalVT() ([]byte, error)    { return []byte(n.text), nil }
func (n *note) UnmarshalVT(data []byte) error { n.text = string(data); return nil }

// TestMessagesOfOtherCodecsPassUntouched makes calls with vtprotobuf's codec, whose messages the interceptors must neither look into nor copy.
func TestMessagesOfOtherCodecsPassUntouched(t *testing.T) {
	tracer := spantest.New(t)
	desc := grpc.ServiceDesc{
		ServiceName: "vt.Notes", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, ctx context.Context, dec func(any) error, next grpc.UnaryServerInterceptor) (any, error) {
			in := new(note)
			if err := dec(in); err != nil {
				return nil, err
			}
			return next(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/vt.Notes/Echo"}, func(_ context.Context, req any) (any, error) { return req, nil })
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Chat", ClientStreams: true, ServerStreams: true, Handler: func(_ any, ss grpc.ServerStream) error {
			in := new(note)
			if err := ss.RecvMsg(in); err != nil {
				return err
			}
			return ss.SendMsg(in)
		}}},
	}
	gs := grpc.NewServer(append(grpcmw.ServerOptions(tracer), grpc.ForceServerCodec(vtgrpc.Codec{}))...)
	gs.RegisterService(&desc, struct{}{})
	cc := dial(t, gs, append(grpcmw.DialOptions(tracer), grpc.WithDefaultCallOptions(grpc.ForceCodec(vtgrpc.Codec{})))...)
	out := new(note)
	if err := cc.Invoke(t.Context(), "/vt.Notes/Echo", &note{"hello"}, out); err != nil || out.text != "hello" {
		t.Fatal(out, err)
	}
	cs, err := cc.NewStream(t.Context(), &desc.Streams[0], "/vt.Notes/Chat")
	if err != nil {
		t.Fatal(err)
	}
	if err := cs.SendMsg(&note{"hello"}); err != nil {
		t.Fatal(err)
	}
	cs.CloseSend()
	if err := cs.RecvMsg(out); err != nil || out.text != "hello" {
		t.Fatal(out, err)
	}
	for err == nil {
		err = cs.RecvMsg(out)
	}
	if client, server := sides(t, tracer); len(client) != 2 || len(server) != 2 {
		t.Errorf("%d spans on the client, %d on the server", len(client), len(server))
	}
}

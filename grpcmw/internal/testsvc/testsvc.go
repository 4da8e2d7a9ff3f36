// Package testsvc is a gRPC service with the four kinds of RPC, made by hand, for tests and examples.
package testsvc

import (
	"context"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Msg is the message of all RPCs.
type Msg = wrapperspb.StringValue

// Text makes a message.
func Text(s string) *Msg { return wrapperspb.String(s) }

// The full methods.
const (
	Service = "spanloom.test.Echo"
	Say     = "/spanloom.test.Echo/Say"     // unary
	Collect = "/spanloom.test.Echo/Collect" // client streams
	Repeat  = "/spanloom.test.Echo/Repeat"  // server streams
	Chat    = "/spanloom.test.Echo/Chat"    // both stream
)

// Server answers the RPCs; a nil function is answered by the default, which echoes.
type Server struct {
	Say    func(ctx context.Context, in *Msg) (*Msg, error)
	Stream func(method string, ss grpc.ServerStream) error
}

// Desc describes the service. Its server is a *Server.
var Desc = grpc.ServiceDesc{
	ServiceName: Service,
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Say", Handler: say}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Collect", Handler: stream(Collect, collect), ClientStreams: true},
		{StreamName: "Repeat", Handler: stream(Repeat, repeat), ServerStreams: true},
		{StreamName: "Chat", Handler: stream(Chat, chat), ClientStreams: true, ServerStreams: true},
	},
}

// StreamDesc returns what a client opens method with.
func StreamDesc(method string) *grpc.StreamDesc {
	for i := range Desc.Streams {
		if "/"+Service+"/"+Desc.Streams[i].StreamName == method {
			return &Desc.Streams[i]
		}
	}
	return &grpc.StreamDesc{StreamName: method, ClientStreams: true, ServerStreams: true}
}

func say(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
	in := new(Msg)
	if err := dec(in); err != nil {
		return nil, err
	}
	handler := func(ctx context.Context, req any) (any, error) {
		if f := srv.(*Server).Say; f != nil {
			return f(ctx, req.(*Msg))
		}
		return req, nil
	}
	if interceptor == nil {
		return handler(ctx, in)
	}
	return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: Say}, handler)
}

func stream(method string, otherwise func(grpc.ServerStream) error) grpc.StreamHandler {
	return func(srv any, ss grpc.ServerStream) error {
		if f := srv.(*Server).Stream; f != nil {
			return f(method, ss)
		}
		return otherwise(ss)
	}
}

func collect(ss grpc.ServerStream) error {
	all := ""
	for {
		in := new(Msg)
		if err := ss.RecvMsg(in); err == io.EOF {
			return ss.SendMsg(Text(all))
		} else if err != nil {
			return err
		}
		all += in.Value
	}
}

// repeat sends each letter of its message.
func repeat(ss grpc.ServerStream) error {
	in := new(Msg)
	if err := ss.RecvMsg(in); err != nil {
		return err
	}
	for _, r := range in.Value {
		if err := ss.SendMsg(Text(string(r))); err != nil {
			return err
		}
	}
	return nil
}

func chat(ss grpc.ServerStream) error {
	for {
		in := new(Msg)
		if err := ss.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := ss.SendMsg(in); err != nil {
			return err
		}
	}
}

// Network is how a client reaches the server.
type Network string

// The networks.
const (
	TCP     Network = "tcp"
	Bufconn Network = "bufconn"
)

// Start runs srv until the test ends and returns a connection to it. Both are stopped when the test ends.
func Start(
	t testing.TB, network Network, srv *Server, server []grpc.ServerOption, dial []grpc.DialOption,
) *grpc.ClientConn {
	t.Helper()
	if srv == nil {
		srv = &Server{}
	}
	gs := grpc.NewServer(server...)
	gs.RegisterService(&Desc, srv)
	return Serve(t, network, gs, dial)
}

// Serve is Start for a server that is already made.
func Serve(t testing.TB, network Network, gs *grpc.Server, dial []grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	target, lis := listen(t, network)
	opts := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if b, ok := lis.(*bufconn.Listener); ok {
		dialer := func(ctx context.Context, _ string) (net.Conn, error) { return b.DialContext(ctx) }
		opts = append(opts, grpc.WithContextDialer(dialer))
	}
	served := make(chan error, 1)
	go func() { served <- gs.Serve(lis) }()
	cc, err := grpc.NewClient(target, append(opts, dial...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cc.Close()
		gs.Stop()
		if err := <-served; err != nil && err != grpc.ErrServerStopped { // before it served
			t.Error(err)
		}
	})
	return cc
}

func listen(t testing.TB, network Network) (string, net.Listener) {
	if network == Bufconn {
		return "passthrough:///bufconn", bufconn.Listen(1 << 16)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return "dns:///" + lis.Addr().String(), lis
}

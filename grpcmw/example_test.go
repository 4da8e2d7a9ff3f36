package grpcmw_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
)

// run serves the echo service on loopback and calls use with a connection to it.
func run(server []grpc.ServerOption, dial []grpc.DialOption, use func(*grpc.ClientConn)) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	gs := grpc.NewServer(server...)
	gs.RegisterService(&testsvc.Desc, &testsvc.Server{})
	go gs.Serve(lis)
	defer gs.GracefulStop()
	cc, err := grpc.NewClient(lis.Addr().String(), append(dial, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		panic(err)
	}
	defer cc.Close()
	use(cc)
}

func show(tracer *mocktracer.MockTracer) {
	for _, s := range tracer.FinishedSpans() {
		fmt.Println(s.Tag("span.kind"), s.OperationName, s.Tag("grpc.type"), s.Tag("rpc.grpc.status_code"))
	}
}

// One option for each side instruments all kinds of RPC.
func Example() {
	tracer := mocktracer.New() // nil in a program whose tracer is the global one

	run(grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer), func(cc *grpc.ClientConn) {
		out := new(testsvc.Msg)
		if err := cc.Invoke(context.Background(), testsvc.Say, testsvc.Text("hello"), out); err != nil {
			fmt.Println(err)
		}
		fmt.Println(out.Value)
	})
	show(tracer)
	// Output:
	// hello
	// server /spanloom.test.Echo/Say unary 0
	// client /spanloom.test.Echo/Say unary 0
}

func ExampleUnaryServerInterceptor() {
	tracer := mocktracer.New()
	server := grpc.ChainUnaryInterceptor(grpcmw.UnaryServerInterceptor(tracer)) // first, then the others

	run([]grpc.ServerOption{server}, nil, func(cc *grpc.ClientConn) {
		cc.Invoke(context.Background(), testsvc.Say, testsvc.Text("hello"), new(testsvc.Msg))
	})
	show(tracer)
	// Output: server /spanloom.test.Echo/Say unary 0
}

func ExampleStreamServerInterceptor() {
	tracer := mocktracer.New()
	server := grpc.ChainStreamInterceptor(grpcmw.StreamServerInterceptor(tracer))

	run([]grpc.ServerOption{server}, nil, repeat)
	show(tracer)
	// Output:
	// a
	// b
	// server /spanloom.test.Echo/Repeat server_stream 0
}

func ExampleUnaryClientInterceptor() {
	tracer := mocktracer.New()
	dial := grpc.WithChainUnaryInterceptor(grpcmw.UnaryClientInterceptor(tracer))

	run(nil, []grpc.DialOption{dial}, func(cc *grpc.ClientConn) {
		cc.Invoke(context.Background(), testsvc.Say, testsvc.Text("hello"), new(testsvc.Msg))
	})
	show(tracer)
	// Output: client /spanloom.test.Echo/Say unary 0
}

func ExampleStreamClientInterceptor() {
	tracer := mocktracer.New()
	dial := grpc.WithChainStreamInterceptor(grpcmw.StreamClientInterceptor(tracer))

	run(nil, []grpc.DialOption{dial}, repeat)
	show(tracer)
	// Output:
	// a
	// b
	// client /spanloom.test.Echo/Repeat server_stream 0
}

func repeat(cc *grpc.ClientConn) {
	cs, err := cc.NewStream(context.Background(), testsvc.StreamDesc(testsvc.Repeat), testsvc.Repeat)
	if err != nil {
		panic(err)
	}
	cs.SendMsg(testsvc.Text("ab"))
	cs.CloseSend()
	for {
		m := new(testsvc.Msg)
		if err := cs.RecvMsg(m); err == io.EOF {
			return
		}
		fmt.Println(m.Value)
	}
}

// The hook sees how the RPC ended and may decide what counts as an error.
func ExampleWithOutcome() {
	tracer := mocktracer.New()
	opts := []grpcmw.ClientOption{
		grpcmw.WithOutcome(func(_ context.Context, span opentracing.Span, o *grpcmw.Outcome) {
			o.IsError = o.IsError && o.Code != codes.Unimplemented
			span.SetTag("checked", true)
		}),
	}

	run(nil, grpcmw.DialOptions(tracer, opts...), func(cc *grpc.ClientConn) {
		cc.Invoke(context.Background(), "/shop.Orders/Place", testsvc.Text("1"), new(testsvc.Msg))
	})
	for _, s := range tracer.FinishedSpans() {
		fmt.Println(s.OperationName, s.Tag("grpc.code"), s.Tag("error"), s.Tag("checked"))
	}
	// Output: /shop.Orders/Place Unimplemented <nil> true
}

// What to do with each method can stand in one table.
func Example_policies() {
	policies := map[string]struct {
		name string
		skip bool
		fine []codes.Code // besides OK
	}{
		testsvc.Say:          {name: "say", skip: true},
		"/shop.Orders/Place": {name: "place order", fine: []codes.Code{codes.Unimplemented}},
	}
	tracer := mocktracer.New()
	opts := []grpcmw.ClientOption{
		grpcmw.WithOperationName(func(method string) string { return policies[method].name }),
		grpcmw.WithFilter(selector.MatchFunc(func(_ context.Context, m interceptors.CallMeta) bool { return !policies[m.FullMethod()].skip })),
		grpcmw.WithErrorPolicy(func(method string, _ bool, code codes.Code) bool {
			return code != codes.OK && !slices.Contains(policies[method].fine, code)
		}),
	}

	run(nil, grpcmw.DialOptions(tracer, opts...), func(cc *grpc.ClientConn) {
		for _, method := range []string{testsvc.Say, "/shop.Orders/Place", "/shop.Orders/Cancel"} {
			cc.Invoke(context.Background(), method, testsvc.Text("1"), new(testsvc.Msg))
		}
	})
	for _, s := range tracer.FinishedSpans() {
		fmt.Println(s.OperationName, s.Tag("grpc.code"), s.Tag("error"))
	}
	// Output:
	// place order Unimplemented <nil>
	// /shop.Orders/Cancel Unimplemented true
}

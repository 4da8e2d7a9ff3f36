package grpcmw_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// forwarding is a transparent proxy for whatever it is called with.
func forwarding(t *testing.T, backend *grpc.ClientConn) grpc.ServerOption {
	return grpc.UnknownServiceHandler(func(_ any, ss grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(ss)
		_, err := receiveAll(open(t, ss.Context(), backend, method))
		return err
	})
}

// TestNamesOfProxiedMethods has callers make up 600 methods. Whichever ends of the proxy are traced, the operation
// names, the names that observers get and those that hooks are called with have a bound.
func TestNamesOfProxiedMethods(t *testing.T) {
	for _, tt := range []struct {
		name           string
		server, client bool
		bound          int // of the names on the client
	}{{"both ends", true, true, 1}, {"client alone", false, true, 513}, {"server alone", true, false, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			tracer := spantest.New(t)
			var o observer
			asked := map[string]bool{}
			name := grpcmw.WithOperationName(func(m string) string { asked[m] = true; return "call " + m })
			var server []grpc.ServerOption
			var dial []grpc.DialOption
			if tt.server {
				server = grpcmw.ServerOptions(tracer)
			}
			if tt.client {
				dial = grpcmw.DialOptions(tracer, grpcmw.WithObserver(&o), name)
			}
			backend := testsvc.Start(t, testsvc.Bufconn, nil, nil, dial)
			cc := testsvc.Start(t, testsvc.Bufconn, nil, append(server, forwarding(t, backend)), nil)
			for i := range 600 {
				receiveAll(open(t, t.Context(), cc, fmt.Sprintf("/made.Up%d/Method", i)))
			}
			names := map[any]map[string]bool{}
			for _, s := range tracer.Finished() {
				side := fmt.Sprint(s.Tag("span.kind"))
				if names[side] == nil {
					names[side] = map[string]bool{}
				}
				names[side][s.OperationName] = true
			}
			calls := map[grpcmw.Call]bool{}
			for _, c := range o.calls {
				calls[c] = true
			}
			if n := len(names["server"]); n > 1 {
				t.Errorf("%d names on the server", n)
			}
			if n := max(len(names["client"]), len(calls), len(asked)); n > tt.bound {
				t.Errorf("%d names on the client, want at most %d", n, tt.bound)
			}
		})
	}
}

// TestRegisteredMethodsKeepTheirNames has more methods than an interceptor of a client keeps.
func TestRegisteredMethodsKeepTheirNames(t *testing.T) {
	tracer := spantest.New(t)
	intercept := grpcmw.UnaryServerInterceptor(tracer)
	for i := range 600 {
		method := fmt.Sprintf("/many.Methods/M%d", i)
		intercept(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: method}, unaryHandler)
	}
	for i, s := range tracer.Finished() {
		if want := fmt.Sprintf("/many.Methods/M%d", i); s.OperationName != want {
			t.Fatalf("%q, want %q", s.OperationName, want)
		}
	}
}

// TestKnownMethodsThroughAProxy wants a client's methods known as long as its own server knows them.
func TestKnownMethodsThroughAProxy(t *testing.T) {
	tracer := spantest.New(t)
	backend := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer))
	middle := &testsvc.Server{Stream: func(method string, ss grpc.ServerStream) error {
		cs := open(t, ss.Context(), backend, method)
		cs.CloseSend()
		receiveAll(cs)
		return nil
	}}
	cc := testsvc.Start(t, testsvc.Bufconn, middle, grpcmw.ServerOptions(tracer), nil)
	(&transcript{}).stream(t.Context(), cc, testsvc.Chat)
	for _, s := range tracer.Finished() {
		if s.OperationName != testsvc.Chat {
			t.Errorf("%v: %q", s.Tag("span.kind"), s.OperationName)
		}
	}
}

// TestStreamsOfUnaryMethods opens streams for methods of which neither side streams, as generic clients do.
func TestStreamsOfUnaryMethods(t *testing.T) {
	tracer := spantest.New(t)
	cc := testsvc.Start(t, testsvc.Bufconn, nil, grpcmw.ServerOptions(tracer), grpcmw.DialOptions(tracer))
	cs, err := cc.NewStream(t.Context(), &grpc.StreamDesc{StreamName: "Say"}, testsvc.Say)
	if err != nil {
		t.Fatal(err)
	}
	out := new(testsvc.Msg)
	if err := cs.SendMsg(testsvc.Text("x")); err != nil {
		t.Fatal(err)
	}
	cs.CloseSend()
	if err := cs.RecvMsg(out); err != nil || out.Value != "x" {
		t.Fatal(out, err)
	}
	grpcmw.StreamServerInterceptor(tracer)(nil, &pingPong{ctx: t.Context()}, &grpc.StreamServerInfo{FullMethod: testsvc.Say}, func(_ any, ss grpc.ServerStream) error {
		return ss.SendMsg(nil)
	})
	for _, s := range tracer.Finished() {
		if s.OperationName != testsvc.Say || s.Tag("grpc.type") != "unary" || s.Tag("rpc.grpc.status_code") != 0 {
			t.Errorf("%q with %v", s.OperationName, s.Tags())
		}
	}
	if n := len(tracer.Finished()); n != 3 {
		t.Errorf("%d spans, want 3", n)
	}
}

// TestUnknownMethodsInHooks wants a filter to see the method as it was called, since it records nothing.
func TestUnknownMethodsInHooks(t *testing.T) {
	tracer := spantest.New(t)
	var seen string
	public := grpcmw.WithPublicEndpoint(func(_ context.Context, m string) bool { seen = m; return true })
	var method string
	outcome := grpcmw.WithOutcome(func(_ context.Context, _ opentracing.Span, o *grpcmw.Outcome) { method = o.Method })
	info := &grpc.StreamServerInfo{FullMethod: "/made.Up/" + strings.Repeat("x", 5000), IsClientStream: true, IsServerStream: true}
	grpcmw.StreamServerInterceptor(tracer, public, outcome)(nil, &pingPong{ctx: t.Context()}, info, func(any, grpc.ServerStream) error { return nil })
	if seen != info.FullMethod || method != grpcmw.UnknownMethod {
		t.Errorf("public saw %d bytes, the outcome %q", len(seen), method)
	}
}

// TestNamesOfConcurrentCalls calls more methods than have names of their own, many at a time.
func TestNamesOfConcurrentCalls(t *testing.T) {
	tracer := spantest.New(t)
	client := grpcmw.UnaryClientInterceptor(tracer)
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	var callers sync.WaitGroup
	for caller := range 64 {
		callers.Go(func() {
			for i := range 50 {
				client(t.Context(), fmt.Sprintf("/a.A/%d_%d", caller, i), nil, nil, nil, invoke)
			}
		})
	}
	callers.Wait()
	names := map[string]bool{}
	for _, s := range tracer.Finished() {
		names[s.OperationName] = true
	}
	if len(names) != 513 || !names[grpcmw.UnknownMethod] {
		t.Errorf("%d names", len(names))
	}
}

func TestUnknownMethodsHaveOneName(t *testing.T) {
	tracer := spantest.New(t)
	opts := append(grpcmw.ServerOptions(tracer), grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return nil }))
	cc := testsvc.Start(t, testsvc.Bufconn, nil, opts, nil)
	for _, m := range []string{"/a.A/B", "/c.C/" + strings.Repeat("x", 2000)} {
		(&transcript{}).stream(t.Context(), cc, m)
	}
	for _, s := range tracer.Finished() {
		if s.OperationName != grpcmw.UnknownMethod || s.Tag("rpc.method") != "_OTHER" || s.Tag("rpc.service") != nil {
			t.Errorf("%q with %v", s.OperationName, s.Tags())
		}
		if got := s.Tag("rpc.method_original").(string); len(got) > 256 {
			t.Errorf("original of %d bytes", len(got))
		}
	}
	if n := len(tracer.Finished()); n != 2 {
		t.Errorf("%d spans", n)
	}
}

// TestProxiesForwardLongMethods has a caller of a proxy make up names that the proxy passes on.
func TestProxiesForwardLongMethods(t *testing.T) {
	tracer := spantest.New(t)
	backend := testsvc.Start(t, testsvc.Bufconn, nil, nil, grpcmw.DialOptions(tracer))
	proxy := grpc.UnknownServiceHandler(func(_ any, ss grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(ss)
		_, err := receiveAll(open(t, ss.Context(), backend, method))
		return err
	})
	cc := testsvc.Start(t, testsvc.Bufconn, nil, append(grpcmw.ServerOptions(tracer), proxy), nil)
	receiveAll(open(t, t.Context(), cc, "/a.A/"+strings.Repeat("x", 1<<16)))
	for _, s := range tracer.Finished() {
		if s.OperationName != grpcmw.UnknownMethod {
			t.Errorf("%v: a name of %d bytes", s.Tag("span.kind"), len(s.OperationName))
		}
		for k, v := range s.Tags() {
			if n := len(fmt.Sprint(v)); n > 256 {
				t.Errorf("%v: %s of %d bytes", s.Tag("span.kind"), k, n)
			}
		}
	}
	if n := len(tracer.Finished()); n != 2 {
		t.Errorf("%d spans, want 2", n)
	}
}

func TestOperationNamesAreThoseOfTheHook(t *testing.T) {
	for how, tt := range map[string]struct {
		name func(string) string
		want string
	}{
		"no hook": {nil, testsvc.Say},
		"a name":  {func(m string) string { return "call " + m }, "call " + testsvc.Say},
		"no name": {func(string) string { return "" }, testsvc.Say},
		"a panic": {func(string) string { panic("hook") }, testsvc.Say},
	} {
		t.Run(how, func(t *testing.T) {
			s, c := callOnceDespitePanics(t, []grpcmw.ServerOption{grpcmw.WithOperationName(tt.name)}, []grpcmw.ClientOption{grpcmw.WithOperationName(tt.name)})
			if s.OperationName != tt.want || c.OperationName != tt.want {
				t.Errorf("names %q and %q, want %q", s.OperationName, c.OperationName, tt.want)
			}
		})
	}
}

// TestManyMethodsAreBounded is a proxy that calls methods without end.
func TestManyMethodsAreBounded(t *testing.T) {
	client := grpcmw.UnaryClientInterceptor(silentTracer(t, true))
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 20000 {
		client(t.Context(), "/a.A/"+strings.Repeat("x", 100)+string(rune('a'+i%26))+strings.Repeat("y", i%997), nil, nil, nil, invoke)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	runtime.KeepAlive(client)
}

// TestServicesWithoutAnImplementation registers a service whose handlers need none. gRPC describes its bidi streams as
// it does those of methods that nobody registered.
func TestServicesWithoutAnImplementation(t *testing.T) {
	tracer := spantest.New(t)
	echo := func(_ any, ss grpc.ServerStream) error { return ss.SendMsg(testsvc.Text("x")) }
	desc := grpc.ServiceDesc{
		ServiceName: "no.Implementation",
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(
			_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor,
		) (any, error) {
			in := new(testsvc.Msg)
			if err := decode(in); err != nil {
				return nil, err
			}
			return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/no.Implementation/Unary"}, unaryHandler)
		}}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Client", Handler: echo, ClientStreams: true},
			{StreamName: "Server", Handler: echo, ServerStreams: true},
			{StreamName: "Bidi", Handler: echo, ClientStreams: true, ServerStreams: true},
		},
	}
	lis := bufconn.Listen(1 << 16)
	server := grpc.NewServer(grpcmw.ServerOptions(tracer)...)
	server.RegisterService(&desc, nil)
	go server.Serve(lis)
	defer server.Stop()
	cc, err := grpc.NewClient("passthrough:bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	if err := cc.Invoke(t.Context(), "/no.Implementation/Unary", testsvc.Text("x"), new(testsvc.Msg)); err != nil {
		t.Error(err)
	}
	for _, d := range desc.Streams {
		cs, err := cc.NewStream(t.Context(), &d, "/no.Implementation/"+d.StreamName)
		if err != nil {
			t.Fatal(err)
		}
		if err := cs.CloseSend(); err != nil {
			t.Error(err)
		}
		if _, err := receiveAll(cs); err != nil && err != io.EOF {
			t.Errorf("%s: %v", d.StreamName, err)
		}
	}
	names := map[string]string{}
	for _, s := range tracer.Finished() {
		names[fmt.Sprint(s.Tag("grpc.type"))] = s.OperationName
	}
	want := map[string]string{
		"unary": "/no.Implementation/Unary", "client_stream": "/no.Implementation/Client",
		"server_stream": "/no.Implementation/Server", "bidi": grpcmw.UnknownMethod,
	}
	if !maps.Equal(names, want) {
		t.Errorf("names %v, want %v", names, want)
	}
}

// TestAClientKeepsTheFirstNames: once 512 methods have names of their own, these keep them whatever else is called. All
// others have one name, as a longer name than a program's own has at any time.
func TestAClientKeepsTheFirstNames(t *testing.T) {
	tracer := spantest.New(t)
	unary := grpcmw.UnaryClientInterceptor(tracer)
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	call := func(method string) string {
		unary(t.Context(), method, nil, nil, nil, invoke)
		all := tracer.Finished()
		return all[len(all)-1].OperationName
	}
	longest := "/a.A/" + strings.Repeat("x", 1<<10-len("/a.A/"))
	names := []string{longest}
	for i := range 511 {
		names = append(names, fmt.Sprintf("/a.A/%d", i))
	}
	if got := call(longest + "x"); got != grpcmw.UnknownMethod {
		t.Errorf("a name of %d bytes", len(got))
	}
	for range 2 {
		for _, name := range names {
			if got := call(name); got != name {
				t.Fatalf("%.20q has the name %.20q", name, got)
			}
		}
		if got := call("/a.A/late"); got != grpcmw.UnknownMethod {
			t.Errorf("the method after the last has the name %q", got)
		}
	}
}

// TestAClientKeepsNamesInEveryWayOfCalling has a program whose methods stream both ways once the names are given away.
func TestAClientKeepsNamesInEveryWayOfCalling(t *testing.T) {
	tracer := spantest.New(t)
	client := grpcmw.StreamClientInterceptor(tracer)
	refuse := func(
		context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption,
	) (grpc.ClientStream, error) {
		return nil, io.EOF
	}
	for i := range 513 {
		client(t.Context(), &grpc.StreamDesc{ServerStreams: true}, nil, fmt.Sprintf("/a.A/%d", i), refuse)
	}
	client(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, nil, "/a.A/7", refuse)
	all := tracer.Finished()
	if got := all[512].OperationName; got != grpcmw.UnknownMethod {
		t.Errorf("the method after the last has the name %q", got)
	}
	if got := all[513].OperationName; got != "/a.A/7" {
		t.Errorf("/a.A/7 has the name %q when it streams both ways", got)
	}
}

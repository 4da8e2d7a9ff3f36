package grpcmw_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/grpcmw/internal/testsvc"
	"github.com/spanloom/spanloom/spantest"
)

// TestTargetsOfAllKinds looks at the callee of calls that did not reach it.
func TestTargetsOfAllKinds(t *testing.T) {
	for target, want := range map[string]string{
		"shop:50051": "shop:50051", "dns:shop:50051": "shop:50051", "dns:///shop:50051": "shop:50051", "dns://1.1.1.1/shop:50051": "shop:50051",
		"passthrough:///shop": "shop", "[::1]:50051": "[::1]:50051", "unix:///run/s.sock": "/run/s.sock", "unix:s.sock": "s.sock",
		"passthrough:///shop?access_token=s3cret": "shop", "passthrough:///me:s3cret@shop:1": "shop:1", "me:s3cret@shop:1": "shop:1", "dns:me@shop:1": "shop:1",
		"unix:///run/a@b?c": "/run/a@b?c",
	} {
		t.Run(target, func(t *testing.T) {
			tracer := spantest.New(t)
			cc, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer cc.Close()
			fails := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return errPlain }
			grpcmw.UnaryClientInterceptor(tracer)(t.Context(), testsvc.Say, nil, nil, cc, fails)
			if got := only(t, tracer).Tag("peer.address"); got != want {
				t.Errorf("%s: peer.address %v, want %s", target, got, want)
			}
		})
	}
}

func TestPeersOfAllKinds(t *testing.T) {
	for _, addr := range []net.Addr{nil, &net.UnixAddr{Name: "@x", Net: "unix"}, &net.TCPAddr{IP: net.IPv6loopback, Port: 1}} {
		t.Run(fmt.Sprintf("%T", addr), func(t *testing.T) {
			tracer := spantest.New(t)
			ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: addr})
			grpcmw.UnaryServerInterceptor(tracer, grpcmw.WithSemconv(grpcmw.Both))(ctx, nil, unaryInfo, unaryHandler)
			span := only(t, tracer)
			if want := map[bool]any{true: nil}[addr == nil]; addr == nil && span.Tag("peer.address") != want || addr != nil && span.Tag("peer.address") != addr.String() {
				t.Errorf("%v: peer.address %v", addr, span.Tag("peer.address"))
			}
		})
	}
}

// Of several servers behind one target, a span names the one that answered.
func TestPeerIsTheServerThatAnswered(t *testing.T) {
	var addresses []resolver.Address
	names := map[string]string{}
	for _, name := range []string{"a", "b"} {
		srv := &testsvc.Server{Say: func(context.Context, *testsvc.Msg) (*testsvc.Msg, error) { return testsvc.Text(name), nil }}
		target := strings.TrimPrefix(testsvc.Start(t, testsvc.TCP, srv, nil, nil).Target(), "dns:///")
		addresses = append(addresses, resolver.Address{Addr: target})
		names[target] = name
	}
	servers := manual.NewBuilderWithScheme("several")
	servers.InitialState(resolver.State{Addresses: addresses})
	tracer := spantest.New(t)
	cc, err := grpc.NewClient("several:///any", append(grpcmw.DialOptions(tracer), grpc.WithResolvers(servers),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	met := map[string]bool{}
	for i := 0; len(met) < 2 && ctx.Err() == nil; i++ { // one server may be connected to later
		var answer testsvc.Msg
		if err := cc.Invoke(ctx, testsvc.Say, testsvc.Text("who?"), &answer, grpc.WaitForReady(true)); err != nil {
			t.Fatal(err)
		}
		met[answer.GetValue()] = true
		span := tracer.Finished()[i]
		if peer, _ := span.Tag("peer.address").(string); names[peer] != answer.GetValue() {
			t.Errorf("%s answered, but the peer is %v", answer.GetValue(), peer)
		}
	}
	if len(met) != 2 {
		t.Errorf("only %v answered", met)
	}
}

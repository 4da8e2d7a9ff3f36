package grpcmw

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

func TestEndpointsOfManyPeers(t *testing.T) {
	c := clientConfig([]ClientOption{WithSemconv(OTel)})
	var all sync.WaitGroup
	for first := range 2 {
		all.Go(func() {
			for i := range 100 {
				port := first + i%20 + 1
				ip := net.IPv4(10, 0, 0, byte(port))
				e := c.endpointOfPeer(&net.TCPAddr{IP: ip, Port: port})
				if want := fmt.Sprintf("%v:%d", ip, port); e.address != want || e.host != ip.String() || e.port != port {
					t.Errorf("endpoint %v, want %s", e, want)
				}
			}
		})
	}
	all.Wait()
	changed := &net.TCPAddr{IP: net.IPv4(10, 1, 1, 1), Port: 1}
	c.endpointOfPeer(changed)
	changed.Port = 2
	if e := c.endpointOfPeer(changed); e.port != 2 {
		t.Errorf("endpoint %v, want port 2", e)
	}
	for _, addr := range []net.Addr{nil, (*net.TCPAddr)(nil), &net.TCPAddr{}, &net.TCPAddr{Port: 1}, &net.UnixAddr{}} {
		if e := c.endpointOfPeer(addr); e != (endpoint{}) {
			t.Errorf("endpoint %v of %#v, want none", e, addr)
		}
	}
}

func TestEndpointOfPeerAlloc(t *testing.T) {
	c := clientConfig(nil)
	for _, ip := range []net.IP{net.IPv4(10, 0, 0, 7), net.ParseIP("2001:db8::1")} {
		addr := &net.TCPAddr{IP: ip, Port: 50051}
		if got := testing.AllocsPerRun(100, func() { c.endpointOfPeer(addr) }); got > 0 {
			t.Errorf("%v: %v allocations, want 0", addr, got)
		}
	}
}

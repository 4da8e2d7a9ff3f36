// Package testnet has the networks of tests that fail without saying so.
package testnet

import (
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Refusing returns an address at which connections are refused: that of the end of a connection, which stays open until
// the test ends. The port of a closed listener could be taken by any other program before it is used.
func Refusing(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// RefusingUDP returns an address at which datagrams are refused: that of a socket that receives from one other alone.
func RefusingUDP(t testing.TB) string {
	t.Helper()
	c, err := net.Dial("udp", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// BlackHole returns an address whose host answers no SYN: a listener whose backlog is full.
func BlackHole(t testing.TB) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 10 {
		c, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the backlog does not fill up here")
	return ""
}

// FirstMute is a listener whose first connection stays open, but says nothing once Mute is set.
type FirstMute struct {
	net.Listener
	Mute     atomic.Bool
	Accepted atomic.Int64
}

// Accept implements [net.Listener].
func (f *FirstMute) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err == nil && f.Accepted.Add(1) == 1 {
		c = muteConn{c, &f.Mute}
	}
	return c, err
}

type muteConn struct {
	net.Conn
	mute *atomic.Bool
}

func (c muteConn) Write(b []byte) (int, error) {
	if c.mute.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

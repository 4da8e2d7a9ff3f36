package otlpgrpc

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// blackHole is an address whose host answers no SYN: a listener whose backlog is full.
func blackHole(t *testing.T) string {
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

func TestShutdownKeepsItsDeadline(t *testing.T) {
	dead, _ := net.Listen("tcp", "127.0.0.1:0")
	dead.Close()
	silent, _ := net.Listen("tcp", "127.0.0.1:0")
	defer silent.Close()
	slow := newCollector(t, func(ctx context.Context, _ int) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })
	for name, target := range map[string]string{
		"dead": dead.Addr().String(), "accepts and says nothing": silent.Addr().String(), "never answers": slow.addr,
		"black hole": blackHole(t),
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, factory(target))
			for range 5 {
				l.StartSpan("x").Finish()
			}
			const deadline = 300 * time.Millisecond
			late, begun := make(chan time.Duration, 1), time.Now()
			time.AfterFunc(deadline, func() { late <- time.Since(begun) - deadline })
			err := l.Shutdown(within(t, deadline))
			if took := time.Since(begun); took > deadline+50*time.Millisecond+<-late {
				t.Errorf("took %v", took)
			}
			if s := l.Stats(); err == nil || s.Dropped.Total() != 5 {
				t.Errorf("%v %+v", err, s)
			}
		})
	}
}

// firstMute is a listener whose first connection stays open, but says nothing once mute.
type firstMute struct {
	net.Listener
	accepted atomic.Int64
	mute     atomic.Bool
}

func (f *firstMute) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err == nil && f.accepted.Add(1) == 1 {
		c = muteConn{c, &f.mute}
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

func TestAConnectionThatWentSilentIsGivenUp(t *testing.T) {
	network := &firstMute{Listener: listen(t)}
	newCollectorOn(t, network, nil)
	e := factory(network.Addr().String(), quick)
	e.Timeout = 500 * time.Millisecond
	l := open(t, e)
	l.send(t, 1)
	network.mute.Store(true)
	l.send(t, 1)
	if s := l.Stats(); s.Delivered != 2 || network.accepted.Load() != 2 {
		t.Errorf("%d connections, %+v", network.accepted.Load(), s)
	}
}

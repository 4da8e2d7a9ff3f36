package main

import (
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spanloom/spanloom/traceview"
)

// pipes is a listener to which someone connects whenever it accepts.
type pipes struct{ net.Listener }

func (pipes) Accept() (net.Conn, error) {
	server, client := net.Pipe()
	_ = client.Close()
	return server, nil
}

func (pipes) Close() error { return nil }

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimited(pipes{})
		var conns []net.Conn
		for range maxConns {
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		accepted := make(chan error, 2)
		accept := func() {
			go func() {
				_, err := l.Accept()
				accepted <- err
			}()
			synctest.Wait()
		}
		accept()
		if len(accepted) != 0 {
			t.Fatalf("%d connections are open, the limit is %d", maxConns+1, maxConns)
		}
		_ = conns[0].Close()
		_ = conns[0].Close() // frees no second place
		if err := <-accepted; err != nil {
			t.Fatal(err)
		}
		accept()
		if len(accepted) != 0 {
			t.Error("a connection that was closed twice made place for two")
		}
		_ = l.Close()
		if err := <-accepted; err == nil {
			t.Error("a closed listener accepted a connection")
		}
	})
}

// datagrams is a socket to which datagrams of one size come.
type datagrams struct {
	net.PacketConn
	left, size int
}

func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	if d.left == 0 {
		return 0, nil, net.ErrClosed
	}
	d.left--
	return d.size, nil, nil
}

func TestDatagramsBeyondTheQueueAreCounted(t *testing.T) {
	for name, c := range map[string]struct{ sent, size, kept int }{
		"as many as fit":  {maxDatagrams, 100, maxDatagrams},
		"too many":        {maxDatagrams + 500, 100, maxDatagrams},
		"too many bytes":  {1000, 60_000, maxWaiting / 60_000},
		"largest of them": {maxWaiting / maxDatagram, maxDatagram, maxWaiting / maxDatagram},
	} {
		t.Run(name, func(t *testing.T) {
			var lost atomic.Int64
			a := newAgent(&datagrams{left: c.sent, size: c.size}, traceview.New(traceview.Config{}), &lost)
			a.read() // while nothing is stored
			if got := len(a.queue); got != c.kept || int(lost.Load()) != c.sent-c.kept {
				t.Errorf("%d of %d datagrams wait and %d are lost, want %d and %d", got, c.sent, lost.Load(), c.kept, c.sent-c.kept)
			}
			a.store()
			if bytes := a.waiting.Load(); bytes != 0 {
				t.Errorf("%d bytes wait in an empty queue", bytes)
			}
		})
	}
}

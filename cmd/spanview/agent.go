package main

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/spanloom/spanloom/traceview"
)

const (
	maxDatagram  = 65_535
	maxDatagrams = 4_096    // that wait
	maxWaiting   = 16 << 20 // bytes of them
	kernelBuffer = 4 << 20
)

// agent takes spans by UDP as Jaeger's agent did. One goroutine reads, so that the kernel's buffer does not run over,
// and one stores.
type agent struct {
	conn    net.PacketConn
	view    *traceview.View
	queue   chan []byte
	waiting atomic.Int64 // bytes
	lost    *atomic.Int64
	once    sync.Once
}

func newAgent(conn net.PacketConn, view *traceview.View, lost *atomic.Int64) *agent {
	if c, ok := conn.(*net.UDPConn); ok {
		_ = c.SetReadBuffer(kernelBuffer) // as much as the system allows
	}
	return &agent{conn: conn, view: view, queue: make(chan []byte, maxDatagrams), lost: lost}
}

func (a *agent) read() {
	defer close(a.queue)
	buffer := make([]byte, maxDatagram)
	for {
		n, _, err := a.conn.ReadFrom(buffer)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue // such as an ICMP answer to an earlier datagram
		}
		if a.waiting.Load()+int64(n) > maxWaiting {
			a.lost.Add(1)
			continue
		}
		select {
		case a.queue <- append([]byte(nil), buffer[:n]...):
			a.waiting.Add(int64(n))
		default:
			a.lost.Add(1)
		}
	}
}

func (a *agent) store() {
	for datagram := range a.queue {
		a.waiting.Add(-int64(len(datagram)))
		_, _ = a.view.Receive(traceview.JaegerDatagram, datagram) // the view counts what it cannot read
	}
}

func (a *agent) close() { a.once.Do(func() { _ = a.conn.Close() }) }

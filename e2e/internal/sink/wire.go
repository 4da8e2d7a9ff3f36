package sink

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/spanloom/spanloom/e2e/internal/ports"
)

// Mode is how a Wire carries.
type Mode int

// The modes of a Wire.
const (
	Sound  Mode = iota
	Dead        // nobody listens
	Resets      // a connection is cut as soon as something is sent
	Hangs       // connections are taken, and nothing more happens
	Drips       // one byte a second passes each way
)

func (m Mode) String() string {
	return [...]string{"sound", "dead", "resetting", "hanging", "1 byte a second"}[m]
}

// Wire is a network between clients and a backend, which can break.
type Wire struct {
	Addr   string // for clients
	target string

	mu    sync.Mutex
	mode  Mode
	lis   net.Listener
	conns map[net.Conn]bool
	cut   chan struct{} // closed by the next Set
	group sync.WaitGroup
}

// NewWire leads to target, until the test ends.
func NewWire(t testing.TB, target string) *Wire {
	t.Helper()
	w := &Wire{Addr: ports.Free(t, 1)[0], target: target, conns: map[net.Conn]bool{}, cut: make(chan struct{})}
	w.mode = Dead
	w.Set(t, Sound)
	t.Cleanup(func() {
		w.Set(t, Dead)
		w.group.Wait()
	})
	return w
}

// Set cuts all connections and carries new ones as mode says.
func (w *Wire) Set(t testing.TB, mode Mode) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.conns {
		conn.Close()
	}
	close(w.cut)
	w.cut = make(chan struct{})
	was := w.mode
	w.mode = mode
	switch {
	case mode == Dead && was != Dead:
		w.lis.Close()
	case mode != Dead && was == Dead:
		lis, err := net.Listen("tcp", w.Addr)
		if err != nil {
			t.Error(err)
			return
		}
		w.lis = lis
		w.group.Add(1)
		go w.accept(lis)
	}
}

func (w *Wire) accept(lis net.Listener) {
	defer w.group.Done()
	for {
		conn, err := lis.Accept()
		if err != nil {
			return
		}
		w.group.Add(1)
		go w.carry(conn)
	}
}

// keep has conn closed by the next Set; false if that has been.
func (w *Wire) keep(conn net.Conn, cut chan struct{}) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut != cut {
		conn.Close()
		return false
	}
	w.conns[conn] = true
	return true
}

func (w *Wire) drop(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
	conn.Close()
}

func (w *Wire) carry(client net.Conn) {
	defer w.group.Done()
	w.mu.Lock()
	mode, cut := w.mode, w.cut
	w.mu.Unlock()
	if !w.keep(client, cut) {
		return
	}
	defer w.drop(client)
	switch mode {
	case Resets:
		_, _ = client.Read(make([]byte, 1))
		_ = client.(*net.TCPConn).SetLinger(0)
	case Hangs:
		<-cut
	case Sound:
		w.join(client, cut, io.Copy)
	case Drips:
		w.join(client, cut, func(to io.Writer, from io.Reader) (int64, error) { return drip(to, from, cut) })
	}
}

// join carries both ways between client and the backend.
func (w *Wire) join(client net.Conn, cut chan struct{}, pass func(io.Writer, io.Reader) (int64, error)) {
	backend, err := net.Dial("tcp", w.target)
	if err != nil || !w.keep(backend, cut) {
		return
	}
	defer w.drop(backend)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = pass(backend, client)
		backend.Close()
	}()
	_, _ = pass(client, backend)
	client.Close()
	<-done
}

func drip(to io.Writer, from io.Reader, cut <-chan struct{}) (n int64, err error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if n, err = io.CopyN(to, from, 1); err != nil {
			return n, err
		}
		select {
		case <-tick.C:
		case <-cut:
			return n, nil
		}
	}
}

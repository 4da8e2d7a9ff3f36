package main

import (
	"net"
	"testing"
)

// A port has room for so many connections; the next one waits until one is closed, and a listener that is closed lets
// nobody wait.
func TestConnectionsAreLimited(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newLimited(inner).(*limited)
	if cap(l.slots) != maxConns {
		t.Fatalf("room for %d connections, want %d", cap(l.slots), maxConns)
	}
	l.slots = make(chan struct{}, 2)
	accepted := make(chan net.Conn)
	done := make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				done <- err
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third connection was accepted while two are open")
	default:
	}
	if len(l.slots) != 2 {
		t.Errorf("%d places are taken, want 2", len(l.slots))
	}
	first.Close()
	first.Close() // gives its place back once
	third := <-accepted
	third.Close()
	second.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("Accept after Close returns no error")
	}
}

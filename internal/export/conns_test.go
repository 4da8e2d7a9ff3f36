package export

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestConnectionsOpenedAfterTheEndAreClosed: one that was being dialed when the exporter ended is left to nobody.
func TestConnectionsOpenedAfterTheEndAreClosed(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close()
	var c conns
	c.close()
	if _, err := c.dialRaw(t.Context(), "tcp", lis.Addr().String()); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("dialed after the end: %v", err)
	}
	conn, err := lis.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is still open: %v", err)
	}
}

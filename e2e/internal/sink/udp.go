package sink

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/uber/jaeger-client-go/thrift"
	"github.com/uber/jaeger-client-go/thrift-gen/agent"
	"github.com/uber/jaeger-client-go/thrift-gen/jaeger"
	"github.com/uber/jaeger-client-go/thrift-gen/zipkincore"
)

// UDP takes what a Jaeger agent takes.
type UDP struct {
	Taken
	Addr string

	conn *net.UDPConn
	done chan struct{}
}

// NewUDP starts one on a free port, until the test ends.
func NewUDP(t testing.TB) *UDP {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(8 << 20)
	s := &UDP{Addr: conn.LocalAddr().String(), conn: conn, done: make(chan struct{})}
	go s.read()
	t.Cleanup(s.Down)
	return s
}

// Down closes the socket.
func (s *UDP) Down() {
	s.conn.Close()
	<-s.done
}

func (s *UDP) read() {
	defer close(s.done)
	processor := agent.NewAgentProcessor(s)
	packet := make([]byte, 1<<16)
	for {
		n, err := s.conn.Read(packet)
		if err != nil {
			return
		}
		buffer := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(packet[:n])}
		protocol := thrift.NewTCompactProtocolConf(buffer, nil)
		_, _ = processor.Process(context.Background(), protocol, protocol)
	}
}

// EmitBatch implements the agent's service.
func (s *UDP) EmitBatch(_ context.Context, batch *jaeger.Batch) error {
	s.add(thriftIDs(batch))
	return nil
}

// EmitZipkinBatch implements the agent's service.
func (s *UDP) EmitZipkinBatch(context.Context, []*zipkincore.Span) error { return nil }

package sink

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress

	"github.com/spanloom/spanloom/e2e/internal/ports"
)

// GRPC takes OTLP over gRPC.
type GRPC struct {
	coltrace.UnimplementedTraceServiceServer
	Taken
	Addr     string
	Attempts atomic.Int64

	options []grpc.ServerOption
	fault   atomic.Pointer[func(context.Context) error]
	mu      sync.Mutex
	server  *grpc.Server
}

// NewGRPC starts one on a free port, until the test ends.
func NewGRPC(t testing.TB, options ...grpc.ServerOption) *GRPC {
	t.Helper()
	s := &GRPC{Addr: ports.Free(t, 1)[0], options: options}
	s.Up(t)
	t.Cleanup(s.Down)
	return s
}

// Up listens again at the same address after Down.
func (s *GRPC) Up(t testing.TB) {
	t.Helper()
	lis, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(s.options...)
	coltrace.RegisterTraceServiceServer(server, s)
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go server.Serve(lis)
}

// Down closes the listener and every connection at once.
func (s *GRPC) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.Stop()
}

// Misbehave answers with what f returns instead of taking spans; nil: behave again.
func (s *GRPC) Misbehave(f func(context.Context) error) {
	if f == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&f)
}

// Export implements the OTLP service.
func (s *GRPC) Export(
	ctx context.Context, req *coltrace.ExportTraceServiceRequest,
) (*coltrace.ExportTraceServiceResponse, error) {
	s.Attempts.Add(1)
	if fault := s.fault.Load(); fault != nil {
		return nil, (*fault)(ctx)
	}
	s.add(otlpIDs(req))
	return &coltrace.ExportTraceServiceResponse{}, nil
}

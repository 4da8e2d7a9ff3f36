package sink

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go/thrift"
	"github.com/uber/jaeger-client-go/thrift-gen/jaeger"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/e2e/internal/ports"
)

// HTTP takes OTLP at /v1/traces and Jaeger thrift at /api/traces.
type HTTP struct {
	Taken
	URL      string
	Attempts atomic.Int64 // requests that arrived, whatever became of them

	addr  string
	fault atomic.Pointer[http.HandlerFunc]

	mu     sync.Mutex
	server *http.Server
	quit   context.CancelFunc
}

// NewHTTP starts one on a free port, until the test ends.
func NewHTTP(t testing.TB) *HTTP {
	t.Helper()
	s := &HTTP{addr: ports.Free(t, 1)[0]}
	s.Up(t)
	t.Cleanup(s.Down)
	return s
}

// Up listens again at the same address after Down.
func (s *HTTP) Up(t testing.TB) {
	t.Helper()
	lis, err := net.Listen("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	s.URL = "http://" + s.addr
	// A handler that does not read the body never learns that the client went away, but it learns of Down.
	ctx, quit := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.mu.Lock()
	s.server, s.quit = server, quit
	s.mu.Unlock()
	go server.Serve(lis)
}

// Down closes the listener and every connection at once.
func (s *HTTP) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quit()
	_ = s.server.Close()
}

// Misbehave answers with h instead of taking spans; nil: behave again.
func (s *HTTP) Misbehave(h http.HandlerFunc) {
	if h == nil {
		s.fault.Store(nil)
		return
	}
	s.fault.Store(&h)
}

func (s *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Attempts.Add(1)
	if fault := s.fault.Load(); fault != nil {
		(*fault)(w, r)
		return
	}
	s.Take(w, r)
}

// Take does what a sound backend does. A request that does not decode is a 400.
func (s *HTTP) Take(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var ids []string
	switch r.URL.Path {
	case "/v1/traces":
		var req coltrace.ExportTraceServiceRequest
		if err = proto.Unmarshal(body, &req); err == nil {
			ids = otlpIDs(&req)
			w.Header().Set("Content-Type", "application/x-protobuf")
		}
	case "/api/traces":
		var batch jaeger.Batch
		buffer := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(body)}
		if err = batch.Read(r.Context(), thrift.NewTBinaryProtocolConf(buffer, nil)); err == nil {
			ids = thriftIDs(&batch)
			w.WriteHeader(http.StatusAccepted)
		}
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.add(ids)
}

func readBody(r *http.Request) ([]byte, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(body)
}

// Refuse answers with a status.
func Refuse(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// Hang neither reads nor answers until the client goes away.
func Hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// Reset cuts the connection with a TCP reset.
func Reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// Drip takes the spans, answers 200 and then one byte a second, without end.
func (s *HTTP) Drip(w http.ResponseWriter, r *http.Request) {
	s.Take(w, r)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := w.Write([]byte{0}); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// Sip reads one byte a second.
func Sip(_ http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := r.Body.Read(make([]byte, 1)); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

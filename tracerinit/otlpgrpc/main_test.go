package otlpgrpc

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/export"
	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector answers Export with what answer says and keeps the names of the spans it took.
type collector struct {
	addr   string
	answer func(ctx context.Context, call int) (reply []byte, err error) // nil: takes all

	mu    sync.Mutex
	calls int
	names []string
	md    metadata.MD
}

// wire passes messages as bytes.
type wire struct{}

func (wire) Name() string { return "proto" }
func (wire) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}
func (wire) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

var _ encoding.CodecV2 = wire{}

func newCollector(t *testing.T, answer func(context.Context, int) ([]byte, error), opts ...grpc.ServerOption) *collector {
	t.Helper()
	return newCollectorOn(t, listen(t), answer, opts...)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func newCollectorOn(t *testing.T, ln net.Listener, answer func(context.Context, int) ([]byte, error), opts ...grpc.ServerOption) *collector {
	t.Helper()
	c := &collector{addr: ln.Addr().String(), answer: answer}
	srv := grpc.NewServer(append(opts, grpc.ForceServerCodecV2(wire{}), grpc.UnknownServiceHandler(c.handle))...)
	go srv.Serve(ln)
	t.Cleanup(srv.Stop)
	return c
}

func (c *collector) handle(_ any, stream grpc.ServerStream) error {
	if m, _ := grpc.MethodFromServerStream(stream); m != "/opentelemetry.proto.collector.trace.v1.TraceService/Export" {
		return status.Error(codes.Unimplemented, m)
	}
	var body []byte
	if err := stream.RecvMsg(&body); err != nil {
		return err
	}
	var data tracepb.TracesData // has the fields of ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &data); err != nil {
		return err
	}
	c.mu.Lock()
	c.calls++
	call := c.calls
	c.md, _ = metadata.FromIncomingContext(stream.Context())
	c.mu.Unlock()
	var reply []byte
	if c.answer != nil {
		var err error
		if reply, err = c.answer(stream.Context(), call); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range data.ResourceSpans[0].ScopeSpans[0].Spans {
		c.names = append(c.names, s.Name)
	}
	return stream.SendMsg(&reply)
}

func (c *collector) took() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names
}

type line struct {
	*export.Pipeline
	*jaeger.Tracer
}

func (l line) Report(s *jaeger.Span) {
	var loader fromjaeger.Loader
	loader.Load(s)
	l.Enqueue(&loader.Span)
}
func (line) Close() {}

func open(t *testing.T, e export.Factory) line {
	t.Helper()
	return openAs(t, e, &model.Process{Service: "inventory"})
}

func openAs(t *testing.T, e export.Factory, process *model.Process) line {
	t.Helper()
	p, err := export.Start(e, export.Queue{Batch: 100}, export.Env{Process: process})
	if err != nil {
		t.Fatal(err)
	}
	l := line{Pipeline: p}
	tracer, closer := jaeger.NewTracer("inventory", jaeger.NewConstSampler(true), l, testspans.Finished(t))
	l.Tracer = tracer.(*jaeger.Tracer)
	t.Cleanup(func() {
		closer.Close()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Shutdown(ctx)
	})
	return l
}

func (l line) send(t *testing.T, n int) (names []string) {
	t.Helper()
	for i := range n {
		names = append(names, fmt.Sprint("span ", i))
		l.StartSpan(names[i]).Finish()
	}
	if err := l.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	return names
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

var quick = WithRetry(tracerinit.Retry{Initial: time.Millisecond, Max: 5 * time.Millisecond, Limit: 20 * time.Second})

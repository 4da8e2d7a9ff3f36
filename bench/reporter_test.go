package bench

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/tracerinit"
)

// flood is how many spans two goroutines make as fast as they can.
const flood = 200_000

// pipeline is a way to deliver spans: emit makes one, close drains the queue, and delivered returns the exporter's count.
type pipeline struct {
	name  string
	start func(*testing.B) (emit func(), close func(), delivered func() int64)
}

var pipelines = []pipeline{
	{"spanloom-otlphttp-queue200k", func(b *testing.B) (func(), func(), func() int64) {
		return ours(b, tracerinit.OTLPHTTP(httpSink(b)), tracerinit.Queue{Size: flood})
	}},
	{"spanloom-otlphttp-block", func(b *testing.B) (func(), func(), func() int64) {
		return ours(b, tracerinit.OTLPHTTP(httpSink(b)), tracerinit.Queue{Overflow: tracerinit.Block})
	}},
	{"spanloom-otlphttp-default", func(b *testing.B) (func(), func(), func() int64) {
		return ours(b, tracerinit.OTLPHTTP(httpSink(b)), tracerinit.Queue{})
	}},
	{"spanloom-udp-block", func(b *testing.B) (func(), func(), func() int64) {
		return ours(b, tracerinit.JaegerUDP(udpSink(b)), tracerinit.Queue{Overflow: tracerinit.Block})
	}},
	{"spanloom-jaegerhttp-block", func(b *testing.B) (func(), func(), func() int64) {
		return ours(b, tracerinit.JaegerHTTP(httpSink(b)), tracerinit.Queue{Overflow: tracerinit.Block})
	}},
	{"jaeger-udp-default", func(b *testing.B) (func(), func(), func() int64) {
		t, err := jaeger.NewUDPTransport(udpSink(b), 0)
		if err != nil {
			b.Fatal(err)
		}
		return stock(t)
	}},
	{"jaeger-http-default", func(b *testing.B) (func(), func(), func() int64) {
		return stock(transport.NewHTTPTransport(httpSink(b)))
	}},
	{"otel-bsp-otlpgrpc-default", func(b *testing.B) (func(), func(), func() int64) { return otelBatch(b) }},
	{"otel-bsp-otlpgrpc-block", func(b *testing.B) (func(), func(), func() int64) {
		return otelBatch(b, sdktrace.WithBlocking())
	}},
}

func ours(b *testing.B, e tracerinit.Exporter, q tracerinit.Queue) (func(), func(), func() int64) {
	t, err := tracerinit.Start(tracerinit.Config{
		Service: "bench", Local: true, Sampler: tracerinit.Always(), Exporters: []tracerinit.Exporter{e}, Queue: q,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		b.Fatal(err)
	}
	return func() { emitOT(t) }, func() { _ = t.Shutdown(context.Background()) }, func() int64 {
		return int64(t.Stats().Exporters[0].Delivered)
	}
}

// tally counts what jaeger-client-go's reporter says it sent.
type tally struct {
	jaeger.Transport
	sent atomic.Int64
}

func (t *tally) Append(s *jaeger.Span) (int, error) {
	n, err := t.Transport.Append(s)
	t.sent.Add(int64(n))
	return n, err
}

func (t *tally) Flush() (int, error) {
	n, err := t.Transport.Flush()
	t.sent.Add(int64(n))
	return n, err
}

func stock(tr jaeger.Transport) (func(), func(), func() int64) {
	c := &tally{Transport: tr}
	t, closer := jaeger.NewTracer("bench", jaeger.NewConstSampler(true), jaeger.NewRemoteReporter(c))
	return func() { emitOT(t) }, func() { _ = closer.Close() }, c.sent.Load
}

func emitOT(t opentracing.Tracer) {
	s := t.StartSpan("GET /users/{id}", ext.SpanKindRPCServer)
	s.SetTag("http.method", "GET")
	s.SetTag("http.url", "http://example.com/users/42")
	s.SetTag("http.route", "/users/{id}")
	s.SetTag("http.status_code", 200)
	s.SetTag("peer.address", "192.0.2.7:51234")
	s.Finish()
}

func otelBatch(b *testing.B, opts ...sdktrace.BatchSpanProcessorOption) (func(), func(), func() int64) {
	sink := &otlpSink{}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := grpc.NewServer()
	coltrace.RegisterTraceServiceServer(server, sink)
	go func() { _ = server.Serve(lis) }()
	exp, err := otlptracegrpc.New(context.Background(), otlptracegrpc.WithEndpoint(lis.Addr().String()), otlptracegrpc.WithInsecure())
	if err != nil {
		b.Fatal(err)
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exp, opts...))
	tr := tp.Tracer("bench")
	emit := func() {
		_, s := tr.Start(context.Background(), "GET /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
		s.SetAttributes(attribute.String("http.request.method", "GET"), attribute.String("url.full", "http://example.com/users/42"),
			attribute.String("http.route", "/users/{id}"), attribute.Int("http.response.status_code", 200),
			attribute.String("network.peer.address", "192.0.2.7:51234"))
		s.End()
	}
	return emit, func() { _ = tp.Shutdown(context.Background()); server.Stop() }, sink.spans.Load
}

type otlpSink struct {
	coltrace.UnimplementedTraceServiceServer
	spans atomic.Int64
}

func (s *otlpSink) Export(_ context.Context, r *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	for _, rs := range r.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			s.spans.Add(int64(len(ss.Spans)))
		}
	}
	return &coltrace.ExportTraceServiceResponse{}, nil
}

func httpSink(b *testing.B) string {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(srv.Close)
	return srv.URL
}

func udpSink(b *testing.B) string {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	_ = conn.SetReadBuffer(8 << 20)
	b.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1<<16)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	return conn.LocalAddr().String()
}

// BenchmarkReporter makes 200,000 spans with two goroutines for each b.N; run it with -benchtime=1x.
func BenchmarkReporter(b *testing.B) {
	for _, p := range pipelines {
		b.Run("flood/"+p.name, func(b *testing.B) {
			var delivered, peak int64
			var took, spent time.Duration
			for range b.N {
				emit, stop, count := p.start(b)
				runtime.GC()
				watch := watchHeap(&peak)
				start, before := time.Now(), cpu()
				var wg sync.WaitGroup
				for range 2 {
					wg.Go(func() {
						for range flood / 2 {
							emit()
						}
					})
				}
				wg.Wait()
				stop()
				took += time.Since(start)
				spent += cpu() - before
				watch()
				delivered += count()
			}
			made := float64(flood * b.N)
			b.ReportMetric(float64(delivered)/took.Seconds(), "delivered/s")
			b.ReportMetric(100*(1-float64(delivered)/made), "lost-%")
			b.ReportMetric(float64(spent.Nanoseconds())/made, "cpu-ns/span")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// watchHeap samples the heap until the returned function is called.
func watchHeap(peak *int64) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			*peak = max(*peak, int64(m.HeapInuse))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

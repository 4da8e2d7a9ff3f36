package prommw_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/selector"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/spanlog"
	"github.com/spanloom/spanloom/tracerinit"
)

// lateService is a service whose handler sets the sampling priority of its trace, logs, starts a span and calls
// another service.
type lateService struct {
	grpc_health_v1.UnimplementedHealthServer
	tracer   opentracing.Tracer
	memory   *jaeger.InMemoryReporter
	metrics  *prommw.Metrics
	priority uint16
	onChild  bool // the priority is set on a span below that of the request
	silent   bool // the middleware was to keep the request out of the traces

	log        *slog.Logger
	lines      bytes.Buffer
	downstream string   // URL of the other service
	called     []string // the traceparent of each call of it
	transport  http.RoundTripper
}

// newKitTracer and newStockTracer return a tracer and the memory that it reports to.
func newKitTracer(t *testing.T, sampled bool) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	sampler := tracerinit.Never()
	if sampled {
		sampler = tracerinit.Always()
	}
	return start(t, sampler, false)
}

func newStockTracer(t *testing.T, sampled bool) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	memory := jaeger.NewInMemoryReporter()
	propagator, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tracer, closer := jaeger.NewTracer("stock", jaeger.NewConstSampler(sampled), memory,
		jaeger.TracerOptions.Gen128Bit(true),
		jaeger.TracerOptions.Injector(opentracing.HTTPHeaders, propagator),
		jaeger.TracerOptions.Extractor(opentracing.HTTPHeaders, propagator),
		testspans.Finished(t))
	t.Cleanup(func() { closer.Close() })
	return tracer, memory
}

func newLateService(t *testing.T, priority uint16, onChild bool) *lateService {
	t.Helper()
	s := &lateService{metrics: prommw.New(prommw.Config{}), priority: priority, onChild: onChild}
	s.log = slog.New(spanlog.Handler(slog.NewJSONHandler(&s.lines, nil), spanlog.WithSpanLogs(slog.LevelInfo)))
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.called = append(s.called, r.Header.Get("Traceparent"))
	}))
	t.Cleanup(other.Close)
	s.downstream = other.URL
	s.transport = other.Client().Transport
	return s
}

func (s *lateService) handle(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	span := opentracing.SpanFromContext(ctx)
	if s.onChild {
		span, ctx = opentracing.StartSpanFromContextWithTracer(ctx, s.tracer, "decide")
		defer span.Finish()
	}
	ext.SamplingPriority.Set(span, s.priority)
	s.log.InfoContext(ctx, "decided")
	child, ctx := opentracing.StartSpanFromContextWithTracer(ctx, s.tracer, "work")
	defer child.Finish()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.downstream, nil)
	if err != nil {
		return err
	}
	resp, err := httpmw.Transport(s.tracer, s.transport, s.metrics.HTTPClient()).RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (s *lateService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.handle(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *lateService) Check(
	ctx context.Context, _ *grpc_health_v1.HealthCheckRequest,
) (*grpc_health_v1.HealthCheckResponse, error) {
	return &grpc_health_v1.HealthCheckResponse{}, s.handle(ctx)
}

func (s *lateService) Watch(_ *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	return s.handle(stream.Context())
}

// serveHTTP serves one request of a caller with that traceparent, which may be empty.
func (s *lateService) serveHTTP(t *testing.T, traceparent string) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
	}
	w := httptest.NewRecorder()
	silence := httpmw.WithSilence(func(*http.Request) bool { return s.silent })
	httpmw.Middleware(s.tracer, s.metrics.HTTPServer(), silence)(s).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
}

func (s *lateService) serveGRPC(t *testing.T, traceparent string, call func(context.Context, grpc_health_v1.HealthClient) error) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silence := grpcmw.WithSilence(selector.MatchFunc(func(context.Context, interceptors.CallMeta) bool { return s.silent }))
	srv := grpc.NewServer(grpcmw.ServerOptions(s.tracer, grpcmw.WithFilter(everyRPC), silence, s.metrics.GRPCServer())...)
	grpc_health_v1.RegisterHealthServer(srv, s)
	go srv.Serve(lis)
	defer srv.GracefulStop()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx := t.Context()
	if traceparent != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", traceparent)
	}
	if err := call(ctx, grpc_health_v1.NewHealthClient(conn)); err != nil {
		t.Fatal(err)
	}
}

func (s *lateService) serveUnary(t *testing.T, traceparent string) {
	s.serveGRPC(t, traceparent, func(ctx context.Context, c grpc_health_v1.HealthClient) error {
		_, err := c.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	})
}

func (s *lateService) serveStream(t *testing.T, traceparent string) {
	s.serveGRPC(t, traceparent, func(ctx context.Context, c grpc_health_v1.HealthClient) error {
		stream, err := c.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			return err
		}
		if _, err = stream.Recv(); err == io.EOF {
			err = nil
		}
		return err
	})
}

// check wants the log line, the exemplars of both histograms, the spans and the call of the other service to name one
// trace, and to agree on whether it is sampled.
func (s *lateService) check(t *testing.T, family string) {
	t.Helper()
	var line struct {
		TraceID string `json:"trace_id"`
	}
	if err := json.Unmarshal(s.lines.Bytes(), &line); err != nil || line.TraceID == "" {
		t.Fatalf("log line %s: %v", s.lines.Bytes(), err)
	}
	flags := fmt.Sprintf("%02x", s.priority)
	if len(s.called) != 1 || !strings.HasPrefix(s.called[0], "00-"+line.TraceID) || !strings.HasSuffix(s.called[0], flags) {
		t.Errorf("the other service is called with %q, want trace %s with flags %s", s.called, line.TraceID, flags)
	}
	var want []string
	if s.priority > 0 {
		want = []string{line.TraceID}
	}
	for _, name := range []string{family, "http_client_request_duration_seconds"} {
		if ids := exemplars(gather(t, s.metrics, name)); !slices.Equal(ids, want) {
			t.Errorf("%s has exemplars of %v, want %v", name, ids, want)
		}
	}
	s.checkSpans(t, line.TraceID)
}

// checkSpans wants all spans of the trace, the one of the request with its tags, and the line on the span that was
// active; or no span at all.
func (s *lateService) checkSpans(t *testing.T, id string) {
	t.Helper()
	want, logs := 0, 0
	if s.priority > 0 {
		if want = 3; s.onChild {
			want = 4
		}
	}
	spans := s.memory.GetSpans()
	if len(spans) != want {
		t.Errorf("%d spans, want %d", len(spans), want)
	}
	for _, span := range spans {
		if got := carrier.TraceID(span.Context()); got != id {
			t.Errorf("%v is of trace %s, want %s", span, got, id)
		}
		logs += len(span.(*jaeger.Span).Logs())
	}
	if want > 0 && logs != 1 {
		t.Errorf("%d records on the spans, want 1", logs)
	}
}

func TestALatePriorityHoldsForLogsExemplarsAndChildren(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
	for side, serve := range map[string]struct {
		run    func(*lateService, *testing.T, string)
		family string
	}{
		"HTTP":   {(*lateService).serveHTTP, "http_server_request_duration_seconds"},
		"unary":  {(*lateService).serveUnary, "rpc_server_call_duration_seconds"},
		"stream": {(*lateService).serveStream, "rpc_server_call_duration_seconds"},
	} {
		for name, tt := range map[string]struct {
			sampled     bool
			traceparent string
			priority    uint16
			silent      bool
		}{
			"1 on an unsampled root":   {false, "", 1, false},
			"0 on a sampled root":      {true, "", 0, false},
			"1 on an unsampled caller": {true, parent + "00", 1, false},
			"0 on a sampled caller":    {false, parent + "01", 0, false},
			"1 on a silent root":       {true, "", 1, true},
			"1 on a silent callee":     {true, parent + "01", 1, true},
		} {
			for where, onChild := range map[string]bool{"the request's span": false, "a child": true} {
				for kind, newTracer := range map[string]func(*testing.T, bool) (opentracing.Tracer, *jaeger.InMemoryReporter){
					"kit": newKitTracer, "stock": newStockTracer,
				} {
					t.Run(side+", "+name+", on "+where+", "+kind, func(t *testing.T) {
						s := newLateService(t, tt.priority, onChild)
						s.silent = tt.silent
						s.tracer, s.memory = newTracer(t, tt.sampled)
						serve.run(s, t, tt.traceparent)
						s.check(t, serve.family)
					})
				}
			}
		}
	}
}

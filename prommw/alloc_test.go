//go:build !race

package prommw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestAllocsOnTopOfTracing(t *testing.T) {
	samplers := map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()}
	for name, sampler := range samplers {
		for kind, work := range map[string]func(tracer *tracerinit.Tracer, m *prommw.Metrics) func(){
			"HTTP server": serveHTTP, "HTTP client": sendHTTP, "gRPC server": serveRPC, "gRPC client": sendRPC,
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				tracer, memory := start(t, sampler, false)
				count := func(m *prommw.Metrics) float64 {
					do := work(tracer, m)
					do()
					defer memory.Reset()
					return testing.AllocsPerRun(2000, do)
				}
				if bare, with := count(nil), count(prommw.New(prommw.Config{})); with-bare > 1 {
					t.Errorf("%v allocations with metrics, %v without: more than 1 on top", with, bare)
				}
			})
		}
	}
}

func serveHTTP(tracer *tracerinit.Tracer, m *prommw.Metrics) func() {
	var opts []httpmw.ServerOption
	if m != nil {
		opts = append(opts, m.HTTPServer())
	}
	handler := httpmw.Middleware(tracer, opts...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	return func() { handler.ServeHTTP(w, r) }
}

func sendHTTP(tracer *tracerinit.Tracer, m *prommw.Metrics) func() {
	var opts []httpmw.ClientOption
	if m != nil {
		opts = append(opts, m.HTTPClient())
	}
	resp := &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}
	client := httpmw.Transport(tracer, roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil }), opts...)
	r := httptest.NewRequest("GET", "http://a.example/", nil)
	return func() { _, _ = client.RoundTrip(r) }
}

func serveRPC(tracer *tracerinit.Tracer, m *prommw.Metrics) func() {
	var opts []grpcmw.ServerOption
	if m != nil {
		opts = append(opts, m.GRPCServer())
	}
	unary, info := grpcmw.UnaryServerInterceptor(tracer, opts...), &grpc.UnaryServerInfo{FullMethod: "/shop.Shop/Buy"}
	handler := func(context.Context, any) (any, error) { return nil, nil }
	return func() { _, _ = unary(context.Background(), nil, info, handler) }
}

func sendRPC(tracer *tracerinit.Tracer, m *prommw.Metrics) func() {
	var opts []grpcmw.ClientOption
	if m != nil {
		opts = append(opts, m.GRPCClient())
	}
	call := grpcmw.UnaryClientInterceptor(tracer, opts...)
	invoker := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	return func() { _ = call(context.Background(), "/shop.Shop/Buy", nil, nil, nil, invoker) }
}

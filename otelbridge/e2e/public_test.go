package e2e

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
)

// TestStrangersAtPublicEndpoints has two servers for one request, of which the one in front does not trust the caller.
// The other does not join the caller's trace, either, though it reads the same headers.
func TestStrangersAtPublicEndpoints(t *testing.T) {
	for name, handler := range map[string]func(tr tracing, h http.Handler) http.Handler{
		"otelhttp in a public httpmw": func(tr tracing, h http.Handler) http.Handler {
			public := httpmw.WithPublicEndpoint(func(*http.Request) bool { return true })
			return httpmw.Middleware(tr.OpenTracing, public)(otelhttp.NewHandler(h, "", otelhttpOptions(tr)...))
		},
		"httpmw in a public otelhttp": func(tr tracing, h http.Handler) http.Handler {
			public := otelhttp.WithPublicEndpointFn(func(*http.Request) bool { return true })
			return otelhttp.NewHandler(httpmw.Middleware(tr.OpenTracing)(h), "", append(otelhttpOptions(tr), public)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			tr, flush := c.tracingOfBridge(t)
			h := handler(tr, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, end := tr.Span(r.Context(), "work")
				end()
			}))
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("traceparent", callerHeader)
			h.ServeHTTP(httptest.NewRecorder(), r)
			flush()
			c.wantTree(t, "GET (server)\n\tlink to a span that is missing\n  GET (server)\n    work (internal)\n")
		})
	}
}

func TestStrangersOfPublicOtelgrpc(t *testing.T) {
	c := newCollector(t)
	tr, flush := c.tracingOfBridge(t)
	l := bufconn.Listen(1 << 16)
	s := grpc.NewServer(append(grpcmw.ServerOptions(tr.OpenTracing), grpc.StatsHandler(otelgrpc.NewServerHandler(
		otelgrpc.WithTracerProvider(tr), otelgrpc.WithPropagators(tr), otelgrpc.WithPublicEndpoint())))...)
	testpb.RegisterTestServiceServer(s, &grpcService{tracing: tr, active: func(string, trace.SpanContext) {}})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:shop", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", callerHeader)
	if _, err := testpb.NewTestServiceClient(conn).UnaryCall(ctx, &testpb.SimpleRequest{}); err != nil {
		t.Error(err)
	}
	conn.Close()
	s.GracefulStop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	flush()
	c.wantTree(t, "grpc.testing.TestService/UnaryCall (server)\n\tlink to a span that is missing\n"+
		"  /grpc.testing.TestService/UnaryCall (server)\n    work of unary (internal)\n")
}

package grpc_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/uber/jaeger-client-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// serveHTTP2 serves h over HTTP/2 without TLS, and returns a connection to it. stop waits for open requests.
func serveHTTP2(t *testing.T, h http.Handler, opts ...grpc.DialOption) (cc *grpc.ClientConn, stop func()) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	cc, err := grpc.NewClient(strings.TrimPrefix(srv.URL, "http://"),
		append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	return cc, func() {
		cc.Close()
		srv.Close()
	}
}

// TestServedByNetHTTP serves gRPC as a handler of net/http behind httpmw: the span of the RPC goes below that of the
// HTTP request, which goes below the client's.
func TestServedByNetHTTP(t *testing.T) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, err := tracerinit.Start(tracerinit.Config{
		Service: "shop", Local: true, Reporters: []jaeger.Reporter{reporter},
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	gs := newInteropServer(grpcmw.ServerOptions(tracer)...)
	cc, stop := serveHTTP2(t, httpmw.Middleware(tracer)(gs), grpcmw.DialOptions(tracer)...)
	suite(t.Context(), testgrpc.NewTestServiceClient(cc))
	stop()
	layer, parents, n := map[jaeger.SpanID]string{}, map[jaeger.SpanID]jaeger.SpanID{}, map[string]int{}
	for _, s := range reporter.GetSpans() {
		span := s.(*jaeger.Span)
		id := span.SpanContext().SpanID()
		layer[id] = fmt.Sprint(span.Tags()["component"], " ", span.Tags()["span.kind"])
		parents[id] = span.SpanContext().ParentID()
		n[layer[id]]++
	}
	above := map[string]string{"grpc server": "net/http server", "net/http server": "grpc client", "grpc client": ""}
	for id, what := range layer {
		want, ok := above[what]
		if got := layer[parents[id]]; !ok || got != want {
			t.Errorf("a span of %s is below %q, want %q", what, got, want)
		}
	}
	if n["grpc client"] < 14 || n["net/http server"] != n["grpc server"] {
		t.Errorf("spans: %v", n)
	}
}

// TestServersThatSpeakNoGRPC has proxies and servers of other kinds answer.
func TestServersThatSpeakNoGRPC(t *testing.T) {
	grpcHeader := func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/grpc") }
	for name, h := range map[string]http.HandlerFunc{
		"a page":     func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<h1>hello") },
		"a gateway":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "bad gateway", http.StatusBadGateway) },
		"not found":  http.NotFound,
		"no trailer": func(w http.ResponseWriter, _ *http.Request) { grpcHeader(w) },
		"no frame": func(w http.ResponseWriter, _ *http.Request) {
			grpcHeader(w)
			w.Write([]byte{0, 255, 255, 255, 255, 1})
		},
		"a strange status": func(w http.ResponseWriter, _ *http.Request) {
			grpcHeader(w)
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "99")
		},
		"a reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			cc, stop := serveHTTP2(t, h, grpcmw.DialOptions(tracer)...)
			defer stop()
			client := testgrpc.NewTestServiceClient(cc)
			_, err := client.EmptyCall(t.Context(), &testgrpc.Empty{})
			checkCode(t, tracer, err)
			cs, err := client.FullDuplexCall(t.Context())
			if err == nil {
				_, err = cs.Recv()
			}
			checkCode(t, tracer, err)
		})
	}
}

// checkCode checks the last span against the error that the caller got.
func checkCode(t *testing.T, tracer *spantest.Tracer, err error) {
	t.Helper()
	want := status.Code(err)
	if want > codes.Unauthenticated {
		want = codes.Unknown
	}
	spans := tracer.Finished()
	last := spans[len(spans)-1]
	if got := last.Tag("rpc.grpc.status_code"); err == nil || got != int(want) || last.Tag("error") != true {
		t.Errorf("%v has code %v, the caller got %v", last.Tag("grpc.type"), got, err)
	}
}

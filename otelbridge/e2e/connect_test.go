package e2e

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/spanloom/spanloom/httpmw"
)

const (
	place = "/shop.Orders/Place"
	watch = "/shop.Orders/Watch"
)

// connectServer serves a unary and a streaming procedure with otelconnect.
func connectServer(t *testing.T, tr tracing, middleware func(http.Handler) http.Handler, opts ...otelconnect.Option) *httptest.Server {
	t.Helper()
	i := connect.WithInterceptors(connectInterceptor(t, tr, opts...))
	mux := http.NewServeMux()
	mux.Handle(place, connect.NewUnaryHandler(place,
		func(ctx context.Context, r *connect.Request[emptypb.Empty]) (*connect.Response[emptypb.Empty], error) {
			_, end := tr.Span(ctx, "work of unary")
			end()
			if r.Header().Get("X-Fail") != "" {
				return nil, connect.NewError(connect.CodeUnavailable, errors.New("no stock"))
			}
			return connect.NewResponse(&emptypb.Empty{}), nil
		}, i))
	mux.Handle(watch, connect.NewServerStreamHandler(watch,
		func(ctx context.Context, _ *connect.Request[emptypb.Empty], s *connect.ServerStream[emptypb.Empty]) error {
			_, end := tr.Span(ctx, "work of stream")
			end()
			return errors.Join(s.Send(&emptypb.Empty{}), s.Send(&emptypb.Empty{}))
		}, i))
	return httptest.NewServer(middleware(mux))
}

func connectInterceptor(t *testing.T, tr tracing, opts ...otelconnect.Option) connect.Interceptor {
	t.Helper()
	opts = append(opts, otelconnect.WithTracerProvider(tr), otelconnect.WithPropagator(tr))
	i, err := otelconnect.NewInterceptor(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// callConnect calls both procedures, and one once more so that it fails.
func callConnect(t *testing.T, tr tracing, s *httptest.Server) {
	t.Helper()
	defer s.Close()
	defer s.Client().CloseIdleConnections()
	ctx, end := tr.Span(t.Context(), "order")
	defer end()
	with := connect.WithInterceptors(connectInterceptor(t, tr))
	unary := connect.NewClient[emptypb.Empty, emptypb.Empty](s.Client(), s.URL+place, with)
	if _, err := unary.CallUnary(ctx, connect.NewRequest(&emptypb.Empty{})); err != nil {
		t.Error(err)
	}
	failing := connect.NewRequest(&emptypb.Empty{})
	failing.Header().Set("X-Fail", "yes")
	if _, err := unary.CallUnary(ctx, failing); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Error(err)
	}
	stream, err := connect.NewClient[emptypb.Empty, emptypb.Empty](s.Client(), s.URL+watch, with).
		CallServerStream(ctx, connect.NewRequest(&emptypb.Empty{}))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for stream.Receive() {
		n++
	}
	if n != 2 || stream.Err() != nil {
		t.Errorf("%d messages, %v", n, stream.Err())
	}
	stream.Close()
}

// TestSpansOfOtelconnectAreInTheTrace has the trust that otelconnect has by default, none, and the other one.
func TestSpansOfOtelconnectAreInTheTrace(t *testing.T) {
	none := func(h http.Handler) http.Handler { return h }
	for name, opts := range map[string][]otelconnect.Option{"links": nil, "trusts": {otelconnect.WithTrustRemote()}} {
		t.Run(name, func(t *testing.T) {
			compareWithSDK(t, func(t *testing.T, tr tracing) {
				callConnect(t, tr, connectServer(t, tr, none, opts...))
			})
		})
	}
}

// TestOtelconnectInHttpmw has the spans of otelconnect inside the request of the middleware, whatever otelconnect
// trusts: the middleware has done that already.
func TestOtelconnectInHttpmw(t *testing.T) {
	for name, opts := range map[string][]otelconnect.Option{"links": nil, "trusts": {otelconnect.WithTrustRemote()}} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			tr, flush := c.tracingOfBridge(t)
			callConnect(t, tr, connectServer(t, tr, httpmw.Middleware(tr.OpenTracing), opts...))
			flush()
			c.wantTree(t, `order (internal)
  shop.Orders/Place (client)
    POST /shop.Orders/Place (server)
      shop.Orders/Place (server)
        work of unary (internal)
  shop.Orders/Place (client)
    POST /shop.Orders/Place (server)
      shop.Orders/Place (server)
        work of unary (internal)
  shop.Orders/Watch (client)
    POST /shop.Orders/Watch (server)
      shop.Orders/Watch (server)
        work of stream (internal)
`)
		})
	}
}

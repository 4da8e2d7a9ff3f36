package prommw_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"google.golang.org/grpc"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// gauges returns the values of a family by their only label, but for those that are 0.
func gauges(t testing.TB, m *prommw.Metrics, family, name string) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	for _, g := range gather(t, m, family) {
		if v := g.Gauge.GetValue(); v != 0 {
			got[label(g, name)] = v
		}
	}
	return got
}

// TestActiveRequestsAreThoseOfEachMethod while handlers and transports run, by the same name as in the durations.
func TestActiveRequestsAreThoseOfEachMethod(t *testing.T) {
	for _, method := range []string{
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "QUERY", "", "get", "BREW", "\xff", "PROPFIND",
	} {
		t.Run(fmt.Sprintf("%q", method), func(t *testing.T) {
			m := prommw.New(prommw.Config{})
			during := map[string]string{}
			look := func(side string) {
				during[side] = fmt.Sprint(gauges(t, m, "http_"+side+"_active_requests", "http_request_method"))
			}
			handler := httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				look("server")
				r.Method = "PUT" // as middlewares that override the method do
			}))
			client := httpmw.Transport(opentracing.NoopTracer{}, roundTrip(func(*http.Request) (*http.Response, error) {
				look("client")
				return nil, io.EOF
			}), m.HTTPClient())
			r := httptest.NewRequest("GET", "http://a.example/", nil)
			r.Method = method
			client.RoundTrip(r)
			handler.ServeHTTP(httptest.NewRecorder(), r)
			for _, side := range []string{"server", "client"} {
				durations := gather(t, m, "http_"+side+"_request_duration_seconds")
				if len(durations) != 1 {
					t.Fatalf("%d series of durations on the %s", len(durations), side)
				}
				if want := fmt.Sprint(map[string]float64{label(durations[0], "http_request_method"): 1}); during[side] != want {
					t.Errorf("active on the %s: %s, want %s", side, during[side], want)
				}
				if left := gauges(t, m, "http_"+side+"_active_requests", "http_request_method"); len(left) > 0 {
					t.Errorf("active on the %s afterwards: %v", side, left)
				}
			}
		})
	}
}

// TestActiveRequestsDoNotDrift where a middleware between two others overrides the method of a request.
func TestActiveRequestsDoNotDrift(t *testing.T) {
	for name, override := range map[string]func(r *http.Request) *http.Request{
		"clone": func(r *http.Request) *http.Request {
			r = r.Clone(r.Context())
			r.Method = "DELETE"
			return r
		},
		"copy": func(r *http.Request) *http.Request {
			r = r.WithContext(r.Context())
			r.Method = "DELETE"
			return r
		},
		"in place": func(r *http.Request) *http.Request {
			r.Method = "DELETE"
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, _ := start(t, tracerinit.Always(), false)
			m := prommw.New(prommw.Config{})
			inner := httpmw.Middleware(tracer, m.HTTPServer())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			handler := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, override(r)) }))
			innermost := httpmw.Transport(tracer, failing{}, m.HTTPClient())
			client := httpmw.Transport(tracer, roundTrip(func(r *http.Request) (*http.Response, error) { return innermost.RoundTrip(override(r)) }))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil))
			client.RoundTrip(httptest.NewRequest("POST", "http://a.example/", nil))
			for _, side := range []string{"server", "client"} {
				if n := requests(gather(t, m, "http_"+side+"_request_duration_seconds")); n != 1 {
					t.Errorf("%d requests on the %s, want 1", n, side)
				}
				if left := gauges(t, m, "http_"+side+"_active_requests", "http_request_method"); len(left) > 0 {
					t.Errorf("active on the %s afterwards: %v", side, left)
				}
			}
		})
	}
}

// TestActiveCallsStayWithinTheLimit and each is taken from the gauge that it was added to, also those over the limit.
func TestActiveCallsStayWithinTheLimit(t *testing.T) {
	m := prommw.New(prommw.Config{MaxSeries: 3})
	unary := grpcmw.UnaryServerInterceptor(opentracing.NoopTracer{}, m.GRPCServer())
	var deepest map[string]float64
	var call func(depth int)
	call = func(depth int) {
		info := &grpc.UnaryServerInfo{FullMethod: fmt.Sprintf("/shop.Shop/Buy%d", depth)}
		unary(context.Background(), nil, info, func(context.Context, any) (any, error) {
			if depth == 5 {
				deepest = gauges(t, m, "rpc_server_active_calls", "rpc_method")
				return nil, nil
			}
			call(depth + 1)
			return nil, nil
		})
	}
	call(1)
	var methods []string
	for method := range deepest {
		methods = append(methods, strings.TrimPrefix(method, "shop.Shop/"))
	}
	slices.Sort(methods)
	if want := []string{"Buy1", "Buy2", "Buy3", "_OTHER"}; !slices.Equal(methods, want) || deepest["_OTHER"] != 2 {
		t.Errorf("active %v, want one each of three methods and two of _OTHER", deepest)
	}
	if left := gauges(t, m, "rpc_server_active_calls", "rpc_method"); len(left) > 0 {
		t.Errorf("active afterwards: %v", left)
	}
}

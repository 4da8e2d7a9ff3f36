package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// proxyTracers are ours and a stock one with the kit's formats.
func proxyTracers(t *testing.T, c carrier.Config) map[string]opentracing.Tracer {
	t.Helper()
	ours := startKit(t, tracerinit.Config{Propagation: c, Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	p, err := carrier.New(c)
	if err != nil {
		t.Fatal(err)
	}
	theirs, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), append(p.TracerOptions(), testspans.Finished(t))...)
	t.Cleanup(func() { _ = closer.Close() })
	return map[string]opentracing.Tracer{"ours": ours, "stock": theirs}
}

// TestTransportMergesBaggage keeps the baggage that the application sets on a request, and the request itself.
func TestTransportMergesBaggage(t *testing.T) {
	for name, tracer := range proxyTracers(t, carrier.Config{}) {
		t.Run(name, func(t *testing.T) {
			var sent http.Header
			client := &http.Client{Transport: httpmw.Transport(tracer, record(&sent))}
			span := tracer.StartSpan("root").SetBaggageItem("user", "me")
			defer span.Finish()
			r, err := http.NewRequestWithContext(opentracing.ContextWithSpan(t.Context(), span), http.MethodGet, "http://a.test/", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header["Baggage"] = []string{"routingKey=canary,user=old"}
			r.Header["X-B3-Traceid"] = []string{"1"}
			before := r.Header.Clone()
			for range 2 { // the same request again, as retries send it
				resp, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := sent["Baggage"]; !cmp.Equal(got, []string{"routingKey=canary,user=me"}) || sent["X-B3-Traceid"] != nil {
					t.Errorf("sent %v", sent)
				}
			}
			if diff := cmp.Diff(before, r.Header); diff != "" {
				t.Errorf("the caller's request changed: %s", diff)
			}
		})
	}
}

// record keeps the headers of requests, and answers them.
func record(h *http.Header) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		*h = r.Header.Clone()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})
}

// TestProxyDoesNotReopenTrust copies headers to the backend, as proxies do. What the caller sent and the kit refused stays
// behind; what the application adds goes on.
func TestProxyDoesNotReopenTrust(t *testing.T) {
	public := httpmw.WithPublicEndpoint(func(*http.Request) bool { return true })
	notRole := carrier.Config{Baggage: carrier.Baggage{AllowIn: func(key string) bool { return key != "role" }}}
	for name, c := range map[string]struct {
		config  carrier.Config
		options []httpmw.ServerOption
		header  map[string]string
		want    string
	}{
		"trusted":             {carrier.Config{}, nil, map[string]string{"baggage": "role=admin"}, "own=1,role=admin"},
		"allowed in part":     {notRole, nil, map[string]string{"traceparent": parentHeader, "baggage": "role=admin,a=1"}, "own=1,a=1"},
		"allowed without ids": {notRole, nil, map[string]string{"baggage": "role=admin,a=1"}, "own=1,a=1"},
		"only refused":        {notRole, nil, map[string]string{"baggage": "role=admin"}, "own=1"},
		"public":              {carrier.Config{}, []httpmw.ServerOption{public}, map[string]string{"traceparent": parentHeader, "baggage": "role=admin,a=1", "uberctx-role": "admin", "b3": "1-2-1"}, "own=1"},
		"public without ids":  {carrier.Config{}, []httpmw.ServerOption{public}, map[string]string{"baggage": "role=admin", "x-b3-sampled": "0"}, "own=1"},
	} {
		for kind, tracer := range proxyTracers(t, c.config) {
			if kind == "stock" && c.header["traceparent"] == "" && c.options == nil && c.config.Baggage.AllowIn != nil {
				continue // a stock tracer starts a trace that knows nothing of a caller without ids
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				var sent http.Header
				backend, err := url.Parse("http://backend.test")
				if err != nil {
					t.Fatal(err)
				}
				proxy := &httputil.ReverseProxy{
					Rewrite: func(r *httputil.ProxyRequest) {
						r.SetURL(backend)
						r.Out.Header["Baggage"] = append([]string{"own=1"}, r.Out.Header["Baggage"]...)
					},
					Transport: httpmw.Transport(tracer, record(&sent)),
				}
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				for k, v := range c.header {
					r.Header.Set(k, v)
				}
				httpmw.Middleware(tracer, c.options...)(proxy).ServeHTTP(httptest.NewRecorder(), r)
				if diff := cmp.Diff([]string{c.want}, sent["Baggage"]); diff != "" {
					t.Error(diff)
				}
				if c.options != nil && (sent["Uberctx-Role"] != nil || sent["B3"] != nil || sent["X-B3-Sampled"] != nil) {
					t.Errorf("sent %v", sent)
				}
			})
		}
	}
}

const parentHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// TestB3IsAnsweredThroughTheMiddleware sends B3 on for a caller in B3, in the caller's encoding.
func TestB3IsAnsweredThroughTheMiddleware(t *testing.T) {
	for name, tracer := range proxyTracers(t, carrier.Config{}) {
		for encoding, header := range map[string]http.Header{
			"B3":           {"B3": {"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"}},
			"X-B3-Traceid": {"X-B3-Traceid": {"0af7651916cd43dd8448eb211c80319c"}, "X-B3-Spanid": {"b7ad6b7169203331"}, "X-B3-Sampled": {"1"}},
		} {
			t.Run(name+encoding, func(t *testing.T) {
				var sent http.Header
				client := &http.Client{Transport: httpmw.Transport(tracer, record(&sent))}
				handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					out, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://a.test/", nil)
					if err != nil {
						t.Error(err)
						return
					}
					if resp, err := client.Do(out); err == nil {
						resp.Body.Close()
					}
				})
				untraced := httpmw.WithFilter(func(*http.Request) bool { return false }) // context still passes through
				for _, options := range [][]httpmw.ServerOption{nil, {untraced}} {
					r := httptest.NewRequest(http.MethodGet, "/", nil)
					r.Header = header
					httpmw.Middleware(tracer, options...)(handler).ServeHTTP(httptest.NewRecorder(), r)
					if sent.Get(encoding) == "" || sent.Get("B3") != "" && encoding != "B3" || sent.Get("Traceparent") == "" {
						t.Errorf("%s: caller %v, sent %v", name, header, sent)
					}
				}
			})
		}
	}
}

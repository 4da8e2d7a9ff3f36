package otlpgrpc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/tracerinit"
)

// newProxy returns the address of a reverse proxy in front of a collector. It answers the first calls itself.
func newProxy(t *testing.T, col *collector, calls int64, answer http.HandlerFunc) string {
	t.Helper()
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &h2c}
	target := &url.URL{Scheme: "http", Host: col.addr}
	forward := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
	}
	var n atomic.Int64
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) <= calls {
			answer(w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	proxy.Config.Protocols = &h2c
	proxy.Start()
	t.Cleanup(func() { proxy.Close(); transport.CloseIdleConnections() })
	return proxy.Listener.Addr().String()
}

// TestACallThatIsCutOffIsTriedAgain has the ways in which a proxy of HTTP/2 ends calls whose receiver it loses.
func TestACallThatIsCutOffIsTriedAgain(t *testing.T) {
	begin := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/grpc")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
	}
	for name, answer := range map[string]http.HandlerFunc{
		"before the answer":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"in the answer":        func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) },
		"before the trailers":  func(w http.ResponseWriter, _ *http.Request) { begin(w) },
		"by an HTTP gateway":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"by a gateway in time": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) },
	} {
		t.Run(name, func(t *testing.T) {
			col := newCollector(t, nil)
			l := open(t, factory(newProxy(t, col, 2, answer), quick))
			want := l.send(t, 4)
			if diff := cmp.Diff(want, col.took()); diff != "" {
				t.Error(diff)
			}
			if s := l.Stats(); s.Delivered != 4 || s.Failures != 2 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestAGatewayIsNoHTTPPort has answers in HTTP of a proxy that speaks gRPC, and one of a server that does not.
func TestAGatewayIsNoHTTPPort(t *testing.T) {
	for code, isPort := range map[int]bool{401: false, 403: false, 429: false, 502: false, 503: false, 504: false, 404: true, 405: true} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			page := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(code)
			}
			l := open(t, factory(newProxy(t, newCollector(t, nil), 9, page), WithRetry(tracerinit.Retry{Limit: -1})))
			l.send(t, 1)
			got := l.Stats().LastError
			if strings.Contains(got, "an HTTP port") != isPort || !strings.Contains(got, fmt.Sprint(code)) {
				t.Errorf("%s", got)
			}
		})
	}
}

package prommw_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// ways are the ways in which requests end on a server.
var ways = map[string]struct {
	handler func(w http.ResponseWriter, r *http.Request)
	wrap    func(http.Handler) http.Handler // between the handler and the middleware
	around  func(http.Handler) http.Handler // around the middleware
	client  func(t *testing.T, c *http.Client, url string)
	status  string
	kind    string // error_type
}{
	"informational": {
		handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
		},
		status: "201",
	},
	"no content":   {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, status: "204"},
	"status twice": {handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.WriteHeader(500) }, status: "202"},
	"redirect": {
		handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, status: "302",
	},
	"timeout inside": {
		handler: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		wrap:    func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Millisecond, "") },
		status:  "503", kind: "503",
	},
	"timeout around": {
		handler: func(w http.ResponseWriter, r *http.Request) {
			var err error
			for <-r.Context().Done(); err == nil; {
				_, err = io.WriteString(w, "late")
			}
		},
		around: func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Millisecond, "") },
		status: "", kind: "timeout",
	},
	"panic after the header": {
		handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic("oh")
		},
		status: "200", kind: "panic",
	},
	"client gone": {
		handler: func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		client: func(t *testing.T, c *http.Client, url string) {
			ctx, cancel := context.WithCancel(t.Context())
			req, _ := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
			resp, err := c.Do(req)
			cancel()
			if err == nil {
				resp.Body.Close()
			}
		},
		status: "200", kind: "aborted",
	},
	"upload not read": {
		handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		client: func(_ *testing.T, c *http.Client, url string) {
			resp, err := c.Post(url, "", io.LimitReader(zeros{}, 1<<20))
			if err == nil {
				resp.Body.Close()
			}
		},
		status: "413",
	},
	"deadline": {
		handler: func(_ http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
			defer cancel()
			<-ctx.Done()
		},
		status: "200",
	},
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestWaysInWhichRequestsEnd over HTTP/1.1 and HTTP/2.
func TestWaysInWhichRequestsEnd(t *testing.T) {
	tracer, _ := start(t, tracerinit.Always(), false)
	for name, way := range ways {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", name, h2), func(t *testing.T) {
				m := prommw.New(prommw.Config{})
				var h http.Handler = http.HandlerFunc(way.handler)
				if way.wrap != nil {
					h = way.wrap(h)
				}
				done := make(chan struct{})
				traced := httpmw.Middleware(tracer, m.HTTPServer())(h)
				h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer close(done)
					traced.ServeHTTP(w, r)
				})
				if way.around != nil {
					h = way.around(h)
				}
				srv := httptest.NewUnstartedServer(h)
				srv.Config.ErrorLog, srv.EnableHTTP2 = discard, h2
				if h2 {
					srv.StartTLS()
				} else {
					srv.Start()
				}
				defer srv.Close()
				client := srv.Client()
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				if way.client != nil {
					way.client(t, client, srv.URL)
				} else if resp, err := client.Post(srv.URL, "", nil); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				<-done
				got := gather(t, m, "http_server_request_duration_seconds")
				if len(got) != 1 || requests(got) != 1 || label(got[0], "http_response_status_code") != way.status || label(got[0], "error_type") != way.kind {
					t.Errorf("got %v, want one request with status %q and error_type %q", got, way.status, way.kind)
				}
				if left := gauges(t, m, "http_server_active_requests", "http_request_method"); len(left) > 0 {
					t.Errorf("active afterwards: %v", left)
				}
			})
		}
	}
}

// TestConnectIsCounted as the method that it is, though the connection is hijacked.
func TestConnectIsCounted(t *testing.T) {
	m := prommw.New(prommw.Config{})
	done := make(chan struct{})
	handler := httpmw.Middleware(opentracing.NoopTracer{}, m.HTTPServer())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			conn.Close()
		}
	}))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		handler.ServeHTTP(w, r)
	}))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n")
	io.Copy(io.Discard, conn)
	<-done
	if got := gather(t, m, "http_server_request_duration_seconds"); len(got) != 1 || label(got[0], "http_request_method") != "CONNECT" || label(got[0], "error_type") != "" {
		t.Errorf("got %v", got)
	}
}

// TestRequestsAreCountedOnce in however many middlewares of one or of two metrics, whether there is a span or not.
func TestRequestsAreCountedOnce(t *testing.T) {
	sampled, _ := start(t, tracerinit.Always(), false)
	unsampled, _ := start(t, tracerinit.Never(), false)
	disabled, _ := start(t, tracerinit.Always(), true)
	none := opentracing.NoopTracer{}
	filtered := httpmw.WithFilter(func(*http.Request) bool { return false })
	for name, tt := range map[string]struct {
		inner, outer opentracing.Tracer
		opts         []httpmw.Option
	}{
		"sampled": {sampled, sampled, nil}, "unsampled": {unsampled, unsampled, nil}, "disabled": {disabled, disabled, nil},
		"filtered": {sampled, sampled, []httpmw.Option{filtered}}, "no tracer": {none, none, nil},
		"a tracer inside": {sampled, none, nil}, "a tracer outside": {none, sampled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := prommw.New(prommw.Config{}), prommw.New(prommw.Config{})
			var handler http.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			var client http.RoundTripper = failing{}
			for i, layer := range [][]*prommw.Metrics{{a}, {b}, {a, b}, {a}, {b}, {a}} {
				tracer := tt.inner
				if i > 3 {
					tracer = tt.outer
				}
				server, transport := []httpmw.ServerOption{}, []httpmw.ClientOption{}
				for _, o := range tt.opts {
					server, transport = append(server, o), append(transport, o)
				}
				for _, m := range layer {
					server, transport = append(server, m.HTTPServer()), append(transport, m.HTTPClient())
					server, transport = append(server, m.HTTPServer()), append(transport, m.HTTPClient())
				}
				handler = httpmw.Middleware(tracer, server...)(handler)
				client = httpmw.Transport(tracer, client, transport...)
			}
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			client.RoundTrip(httptest.NewRequest("GET", "http://a.example/", nil))
			for name, m := range map[string]*prommw.Metrics{"a": a, "b": b} {
				for _, side := range []string{"server", "client"} {
					if n := requests(gather(t, m, "http_"+side+"_request_duration_seconds")); n != 1 {
						t.Errorf("%s counts %d requests on the %s, want 1", name, n, side)
					}
					if left := gauges(t, m, "http_"+side+"_active_requests", "http_request_method"); len(left) > 0 {
						t.Errorf("%s: active on the %s afterwards: %v", name, side, left)
					}
				}
			}
		})
	}
}

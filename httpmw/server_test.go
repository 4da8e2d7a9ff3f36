package httpmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// served returns the span of one request to h.
func served(t *testing.T, h http.HandlerFunc, r *http.Request, opts ...httpmw.ServerOption) *mocktracer.MockSpan {
	t.Helper()
	tracer := spantest.New(t)
	func() {
		defer func() { recover() }()
		httpmw.Middleware(tracer, opts...)(h).ServeHTTP(httptest.NewRecorder(), r)
	}()
	return one(t, tracer)
}

func request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestServerTags(t *testing.T) {
	hello := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }
	r := httptest.NewRequest("POST", "http://shop.example:8080/a%2Fb?q=1", strings.NewReader("body"))
	r.Header.Set("User-Agent", "test/1")
	r.RemoteAddr = "203.0.113.9:5000"
	ot := map[string]any{
		"span.kind": ext.SpanKindRPCServerEnum, "component": "net/http", "http.method": "POST",
		"http.url": "http://shop.example:8080/a%2Fb?q=1", "http.status_code": uint16(200),
		"peer.address": "203.0.113.9:5000", "peer.ipv4": "203.0.113.9", "peer.port": uint16(5000),
		"http.user_agent": "test/1", "http.request_size": int64(4), "http.response_size": int64(5),
	}
	otel := map[string]any{
		"span.kind": ext.SpanKindRPCServerEnum, "component": "net/http", "http.request.method": "POST",
		"url.scheme": "http", "url.path": "/a%2Fb", "url.query": "q=1", "http.response.status_code": uint16(200),
		"http.status_code": uint16(200), "server.address": "shop.example", "server.port": uint16(8080),
		"network.peer.address": "203.0.113.9", "network.peer.port": uint16(5000), "client.address": "203.0.113.9",
		"user_agent.original": "test/1", "network.protocol.version": "1.1",
		"http.request.body.size": int64(4), "http.response.body.size": int64(5),
	}
	both := map[string]any{}
	for _, m := range []map[string]any{ot, otel} {
		for k, v := range m {
			both[k] = v
		}
	}
	for name, tt := range map[string]struct {
		opts []httpmw.ServerOption
		want map[string]any
	}{
		"default": {nil, ot},
		"otel":    {[]httpmw.ServerOption{httpmw.WithSemconv(httpmw.OTel)}, otel},
		"both":    {[]httpmw.ServerOption{httpmw.WithSemconv(httpmw.OTel), httpmw.WithSemconv(httpmw.Both)}, both},
	} {
		span := served(t, hello, r, tt.opts...)
		if d := cmp.Diff(tt.want, span.Tags()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if len(span.Logs()) != 0 {
			t.Errorf("%s: logs of a healthy request: %v", name, span.Logs())
		}
	}
}

// TestNoTagTwice: jaeger-client-go would export both.
func TestNoTagTwice(t *testing.T) {
	for _, semconv := range []httpmw.Semconv{httpmw.OpenTracing, httpmw.OTel, httpmw.Both} {
		for name, h := range map[string]http.HandlerFunc{
			"ok":    func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") },
			"500":   func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
			"panic": func(w http.ResponseWriter, r *http.Request) { panic("x") },
		} {
			tracer := &counting{Tracer: spantest.New(t)}
			mw := httpmw.Middleware(tracer, httpmw.WithSemconv(semconv), httpmw.WithTags(
				opentracing.Tag{Key: "http.method", Value: "MINE"}, opentracing.Tag{Key: "component", Value: "mine"},
				opentracing.Tag{Key: "team", Value: "a"}, opentracing.Tag{Key: "team", Value: "b"},
				opentracing.Tag{Key: "span.kind", Value: "odd"}, opentracing.Tag{Key: "error", Value: true},
			), httpmw.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
			func() {
				defer func() { recover() }()
				mw(h).ServeHTTP(httptest.NewRecorder(), request("GET", "/", "X-Forwarded-For", "1.1.1.1"))
			}()
			for key, n := range tracer.tags {
				if n > 1 {
					t.Errorf("%v, %s: tag %s was set %d times", semconv, name, key, n)
				}
			}
			span := one(t, tracer.Tracer)
			wantTags(t, span, map[string]any{"http.method": "MINE", "component": "mine", "team": "b", "span.kind": ext.SpanKindRPCServerEnum})
			if failed := name != "ok"; (span.Tag("error") == true) != failed {
				t.Errorf("%s: error = %v", name, span.Tag("error"))
			}
		}
	}
}

// counting counts the tags of its spans by key.
type counting struct {
	*spantest.Tracer
	tags map[string]int
}

type countingSpan struct {
	opentracing.Span
	tracer *counting
}

func (c *counting) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	c.tags = map[string]int{}
	var o opentracing.StartSpanOptions
	for _, opt := range opts {
		opt.Apply(&o)
	}
	for k := range o.Tags {
		c.tags[k]++
	}
	return &countingSpan{c.Tracer.StartSpan(name, opts...), c}
}

func (s *countingSpan) SetTag(key string, value any) opentracing.Span {
	s.tracer.tags[key]++
	s.Span.SetTag(key, value)
	return s
}

func TestStatusAndErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want map[string]any
		logs int
	}{
		{"implicit 200", func(w http.ResponseWriter, r *http.Request) {},
			map[string]any{"http.status_code": uint16(200), "error": nil, "error.type": nil}, 0},
		{"404 is the client's", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) },
			map[string]any{"http.status_code": uint16(404), "error": nil, "error.type": nil}, 0},
		{"503", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
			map[string]any{"http.status_code": uint16(503), "error": true, "error.type": "503", "otel.status_description": "Service Unavailable"}, 1},
		{"first status wins", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); w.WriteHeader(500) },
			map[string]any{"http.status_code": uint16(404), "error": nil}, 0},
		{"1xx is not the status", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(500) },
			map[string]any{"http.status_code": uint16(500), "error": true}, 1},
		{"flush sends 200", func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); w.WriteHeader(500) },
			map[string]any{"http.status_code": uint16(200), "error": nil, "http.streaming": true}, 0},
		{"panic", func(w http.ResponseWriter, r *http.Request) { panic("boom") },
			map[string]any{"http.status_code": nil, "error": true, "error.type": "panic"}, 1},
		{"panic after a status", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(202); panic("boom") },
			map[string]any{"http.status_code": uint16(202), "error": true, "error.type": "panic"}, 1},
		{"panic with nil", func(w http.ResponseWriter, r *http.Request) { panic(nil) },
			map[string]any{"http.status_code": nil, "error": true, "error.type": "panic"}, 1},
		{"abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
			map[string]any{"http.status_code": nil, "error": nil, "error.type": nil, "http.aborted": true}, 0},
		{"abort after a status", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200); panic(http.ErrAbortHandler) },
			map[string]any{"http.status_code": uint16(200), "error": nil, "http.aborted": true}, 0},
		{"recovered inside", func(w http.ResponseWriter, r *http.Request) {
			defer func() { recover(); w.WriteHeader(500) }()
			panic("boom")
		},
			map[string]any{"http.status_code": uint16(500), "error": true, "error.type": "500"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			span := served(t, tt.h, request("GET", "/"))
			wantTags(t, span, tt.want)
			if logs := errorLogs(span); len(logs) != tt.logs {
				t.Errorf("%d error logs, want %d: %v", len(logs), tt.logs, logs)
			}
		})
	}
}

// flushing is a writer as many middlewares make it: it flushes if the one below can.
type flushing struct{ http.ResponseWriter }

func (f flushing) Flush()            { f.FlushError() }
func (f flushing) FlushError() error { return http.NewResponseController(f.ResponseWriter).Flush() }

// TestFlushesThatAreNotSupported send nothing.
func TestFlushesThatAreNotSupported(t *testing.T) {
	tracer := spantest.New(t)
	inner := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("flush: %v", err)
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	flushes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(flushing{w}, r) })
	if w := handle(http.TimeoutHandler(flushes, time.Minute, ""), "GET", "/"); w.Code != 500 {
		t.Fatalf("status %d", w.Code)
	}
	wantTags(t, one(t, tracer), map[string]any{"http.status_code": uint16(500), "error": true, "error.type": "500", "http.streaming": nil, "http.write_error": nil})
}

func TestPanicsAreRecordedAndGoOn(t *testing.T) {
	tracer := spantest.New(t)
	want := fmt.Errorf("boom %d", 7)
	h := api([]mw{httpmw.Middleware(tracer)}, nil)
	h.Get("/panics/{id}", func(http.ResponseWriter, *http.Request) { theHandlersFrame(want) })
	var got any
	func() {
		defer func() { got = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), request("GET", "/panics/1"))
	}()
	if got != want {
		t.Errorf("panic value %v, want the handler's own", got)
	}
	span := one(t, tracer)
	logs := errorLogs(span)
	if span.OperationName != "GET /panics/{id}" || len(logs) != 1 || logs[0]["error.kind"] != "panic" ||
		logs[0]["message"] != "boom 7" || !strings.Contains(logs[0]["stack"], "theHandlersFrame") {
		t.Errorf("span %q, logs %v", span.OperationName, logs)
	}
}

func TestSizes(t *testing.T) {
	file := func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "doc.go") }
	info, _ := os.Stat("doc.go")
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want int64
	}{
		"write and string": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.Write([]byte("abc"))
			io.WriteString(w, "de")
		}, 5},
		"file": {file, info.Size()},
		"copy": {func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("a"))
			io.Copy(w, strings.NewReader("bcd"))
		}, 4},
	} {
		tracer := spantest.New(t)
		srv := serve(t, httpmw.Middleware(tracer)(tt.h))
		get(t, srv.Client(), srv.URL)
		if got := one(t, tracer).Tag("http.response_size"); got != tt.want {
			t.Errorf("%s: http.response_size = %v, want %d", name, got, tt.want)
		}
	}
	span := served(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "abc") }, request("HEAD", "/"))
	wantTags(t, span, map[string]any{"http.response_size": nil})
}

// TestFirstByteOfFlushedResponses is told, and of no others.
func TestFirstByteOfFlushedResponses(t *testing.T) {
	for _, flush := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			want := map[string]any{"http.first_byte_ms": nil, "http.streaming": nil}
			if flush {
				want = map[string]any{"http.first_byte_ms": 30.0, "http.streaming": true}
			}
			wantTags(t, served(t, func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(30 * time.Millisecond)
				io.WriteString(w, "hello")
				time.Sleep(time.Second)
				if flush {
					http.NewResponseController(w).Flush()
				}
			}, request("GET", "/")), want)
		})
	}
}

func TestHijack(t *testing.T) {
	for name, tt := range map[string]struct {
		header []string
		want   map[string]any
	}{
		"websocket": {[]string{"Connection: keep-alive, Upgrade", "Upgrade: websocket"},
			map[string]any{"http.status_code": uint16(101), "http.hijacked": true, "error": nil}},
		"raw": {nil, map[string]any{"http.status_code": nil, "http.hijacked": true, "error": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
				rw.Flush()
				b, _ := rw.ReadByte()
				fmt.Fprintf(rw, "%c!", b)
				rw.Flush()
			})))
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: a\r\n%s\r\n\r\nx", strings.Join(append(tt.header, "A: b"), "\r\n"))
			b, _ := io.ReadAll(conn)
			if !strings.HasSuffix(string(b), "x!") {
				t.Errorf("connection said %q", b)
			}
			wantTags(t, one(t, tracer), tt.want)
		})
	}
}

// TestClientsThatHangUp are not the server's fault, whatever the handler makes of it.
func TestClientsThatHangUp(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(http.ResponseWriter)
		want map[string]any
	}{
		"silent":   {func(http.ResponseWriter) {}, map[string]any{"http.status_code": nil}},
		"says 500": {func(w http.ResponseWriter) { w.WriteHeader(500) }, map[string]any{"http.status_code": uint16(500), "otel.status_code": "OK"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			entered := make(chan struct{})
			srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				<-r.Context().Done()
				tt.then(w)
			})))
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-entered; cancel() }()
			r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if _, err := srv.Client().Do(r); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			tt.want["error"], tt.want["error.type"], tt.want["http.aborted"] = nil, "context_canceled", true
			wantTags(t, one(t, tracer), tt.want)
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	span := served(t, func(w http.ResponseWriter, r *http.Request) {}, request("GET", "/").WithContext(ctx))
	wantTags(t, span, map[string]any{"error.type": "timeout", "http.aborted": nil})
}

// TestTimeoutsOutside: what a middleware further out sends when time is up is not the handler's to tell, so no status
// is.
func TestTimeoutsOutside(t *testing.T) {
	const limit = time.Millisecond
	for _, outer := range []mw{
		func(h http.Handler) http.Handler { return http.TimeoutHandler(h, limit, "late") }, middleware.Timeout(limit),
	} {
		tracer := spantest.New(t)
		w := handle(outer(httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))), "GET", "/")
		span := one(t, tracer)
		wantTags(t, span, map[string]any{"http.status_code": nil, "error": true, "error.type": "timeout"})
		if logs := errorLogs(span); w.Code < 500 || len(logs) != 1 {
			t.Errorf("status %d, logs %v", w.Code, logs)
		}
	}
	tracer := spantest.New(t)
	late := make(chan struct{})
	w := handle(http.TimeoutHandler(httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-late
		io.WriteString(w, "too late")
	})), limit, "late"), "GET", "/")
	close(late)
	if w.Code != http.StatusServiceUnavailable {
		t.Fatalf("status %d", w.Code)
	}
	wantTags(t, one(t, tracer), map[string]any{"http.status_code": nil, "error": true, "error.type": "timeout"})
}

func TestClientsThatHangUpInTheMiddle(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 1<<16))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		for range 1000 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})))
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span := one(t, tracer)
	wantTags(t, span, map[string]any{"http.status_code": uint16(200), "http.aborted": true, "error": nil})
	if span.Tag("http.write_error") == nil {
		t.Error("nothing tells of the write that failed")
	}
}

// TestPanicsThatQuoteURLs: a failed call that is panicked with has its secrets twice.
func TestPanicsThatQuoteURLs(t *testing.T) {
	inner := &url.Error{Op: "Get", URL: "http://b.example/?token=hunter2", Err: errors.New("boom")}
	span := served(t, func(http.ResponseWriter, *http.Request) {
		panic(&url.Error{Op: "Get", URL: "http://u:hunter2@a.example/", Err: inner})
	}, request("GET", "/"))
	const want = `Get "http://a.example/": Get "http://b.example/?token=REDACTED": boom`
	if logs := errorLogs(span); len(logs) != 1 || logs[0]["message"] != want || span.Tag("otel.status_description") != want {
		t.Errorf("%v, %v, want %q", logs, span.Tags(), want)
	}
}

// What the user says of all spans is said of those that panic, too.
func TestOwnTagsOfPanics(t *testing.T) {
	tracer := spantest.New(t)
	own := httpmw.WithTags(opentracing.Tag{Key: "error.type", Value: "ours"}, opentracing.Tag{Key: "otel.status_description", Value: "see the runbook"})
	h := httpmw.Middleware(tracer, own)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	func() {
		defer func() { recover() }()
		h.ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	}()
	wantTags(t, one(t, tracer), map[string]any{"error": true, "error.type": "ours", "otel.status_description": "see the runbook"})
}

func TestWriteErrorsAreRecorded(t *testing.T) {
	tracer := spantest.New(t)
	var outcome httpmw.Outcome
	h := httpmw.Middleware(tracer, httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) { outcome = *o }))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("x")) }))
	h.ServeHTTP(brokenWriter{httptest.NewRecorder()}, request("GET", "/"))
	wantTags(t, one(t, tracer), map[string]any{"http.write_error": "broken pipe", "error": nil})
	if outcome.Err == nil || outcome.Err.Error() != "broken pipe" {
		t.Errorf("outcome %+v", outcome)
	}
}

type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestURLRedaction(t *testing.T) {
	const secret = "hunter2"
	for target, want := range map[string]string{
		"/p?token=hunter2":                                              "http://example.com/p?token=REDACTED",
		"/p?a=1&X-Amz-Signature=hunter2&b=2":                            "http://example.com/p?a=1&X-Amz-Signature=REDACTED&b=2",
		"/p?sig=hunter2;b=2":                                            "http://example.com/p?sig=REDACTED;b=2",
		"/p?%74oken=hunter2":                                            "http://example.com/p?%74oken=REDACTED",
		"/p?PassWord=hunter2&PassWord=hunter2":                          "http://example.com/p?PassWord=REDACTED&PassWord=REDACTED",
		"/p?tokens=1&flag&=&a=b=c":                                      "http://example.com/p?tokens=1&flag&=&a=b=c",
		"http://u:hunter2@proxied.example/p":                            "http://proxied.example/p",
		"http://proxied.example/a%2Fb?x=1":                              "http://proxied.example/a%2Fb?x=1",
		"http://proxied.example?x=1":                                    "http://proxied.example?x=1",
		"/p?token=" + strings.Repeat("hunter2", 100) + "&x=1":           "http://example.com/p?token=REDACTED&x=1",
		"/p?" + strings.Repeat("sig=hunter2&", 50):                      "http://example.com/p",
		"/" + strings.Repeat("x", 200) + "?" + strings.Repeat("q", 100): "http://example.com/" + strings.Repeat("x", 200),
		"/p?AWSAccessKeyId=hunter2&Signature=hunter2":                   "http://example.com/p?AWSAccessKeyId=REDACTED&Signature=REDACTED",
	} {
		span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", target), httpmw.WithSemconv(httpmw.Both))
		if got := span.Tag("http.url"); got != want {
			t.Errorf("%s: http.url = %v, want %s", target, got, want)
		}
		if all := fmt.Sprint(span.Tags(), span.Logs()); strings.Contains(all, secret) {
			t.Errorf("%s: the secret is on the span: %s", target, all)
		}
	}
	long := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"+strings.Repeat("x", 5000)))
	if got := long.Tag("http.url").(string); len(got) > 256 {
		t.Errorf("http.url has %d bytes", len(got))
	}
	inHost := request("GET", "/p")
	inHost.Host = "alice:hunter2@example.com:81"
	wantTags(t, served(t, func(http.ResponseWriter, *http.Request) {}, inHost, httpmw.WithSemconv(httpmw.Both)),
		map[string]any{"http.url": "http://example.com:81/p", "server.address": "example.com", "server.port": uint16(81)})
	hook := httpmw.WithURLRedaction(func(u *url.URL) string { u.RawQuery = ""; return u.String() })
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/p?x=1"), hook, httpmw.WithURLRedaction(nil), httpmw.WithSemconv(httpmw.Both))
	wantTags(t, span, map[string]any{"http.url": "http://example.com/p", "url.path": "/p", "url.query": nil})
	panics := httpmw.WithURLRedaction(func(u *url.URL) string { panic("x") })
	span = served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/p?token=hunter2"), panics)
	wantTags(t, span, map[string]any{"http.url": "http://example.com/p?token=REDACTED", "spanloom.hook_panics": 1})
}

func TestMethods(t *testing.T) {
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("BREW", "/"))
	wantTags(t, span, map[string]any{"http.method": "_OTHER", "http.method_original": "BREW"})
	if span.OperationName != "HTTP" {
		t.Errorf("name %q, want HTTP", span.OperationName)
	}
}

func TestFilter(t *testing.T) {
	tracer := spantest.New(t)
	var child opentracing.Span
	mw := httpmw.Middleware(tracer, httpmw.WithFilter(func(r *http.Request) bool { return r.URL.Path != "/healthz" }), httpmw.WithFilter(nil))
	h := mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, _ = opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
		child.Finish()
	}))
	caller := tracer.StartSpan("caller")
	r := request("GET", "/healthz")
	tracer.Inject(caller.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header))
	h.ServeHTTP(httptest.NewRecorder(), r)
	caller.Finish()
	spans := tracer.Finished()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want the child and its caller", len(spans))
	}
	if spans[0].ParentID != spans[1].SpanContext.SpanID {
		t.Error("the caller's context did not reach the child")
	}
}

func TestFilterThatPanicsTraces(t *testing.T) {
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"), httpmw.WithFilter(func(*http.Request) bool { panic("x") }))
	wantTags(t, span, map[string]any{"spanloom.hook_panics": 1})
}

func TestSilence(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	var header http.Header
	h := httpmw.Middleware(tracer, httpmw.WithSilence(func(r *http.Request) bool { return r.URL.Path == "/healthz" }))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			child, ctx := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
			defer child.Finish()
			out, _ := http.NewRequestWithContext(ctx, "GET", "http://x.example/", nil)
			httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
				header = r.Header
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})).RoundTrip(out)
		}))
	for _, parent := range []string{"", "00-" + parentID + "-01"} {
		r := request("GET", "/healthz", "Traceparent", parent)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if n := reporter.SpansSubmitted(); n != 0 || !strings.HasSuffix(header.Get("Traceparent"), "-00") {
			t.Errorf("parent %q: %d spans, header %q; want none, unsampled", parent, n, header.Get("Traceparent"))
		}
	}
	h.ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	if n := reporter.SpansSubmitted(); n != 3 {
		t.Errorf("%d spans of a loud request, want 3", n)
	}
}

// TestSilenceGoesBeforeTheFilter: requests that are also filtered out do not let the caller's context through.
func TestSilenceGoesBeforeTheFilter(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	h := httpmw.Middleware(tracer,
		httpmw.WithFilter(func(*http.Request) bool { return false }), httpmw.WithSilence(func(*http.Request) bool { return true }),
	)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
		child.Finish()
	}))
	handle(h, "GET", "/healthz")
	handle(h, "GET", "/healthz", "Traceparent", "00-"+parentID+"-01")
	if n := reporter.SpansSubmitted(); n != 0 {
		t.Errorf("%d spans below silence, want none", n)
	}
}

// TestErrorsThatHandlersMark: the engine keeps both of two tags with one key.
func TestErrorsThatHandlersMark(t *testing.T) {
	for _, status := range []int{200, 500} {
		tracer, reporter := newJaeger(t, always)
		handle(httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ext.Error.Set(opentracing.SpanFromContext(r.Context()), true)
			w.WriteHeader(status)
		})), "GET", "/")
		marks := 0
		for _, tag := range jaeger.BuildJaegerThrift(reporter.GetSpans()[0].(*jaeger.Span)).Tags {
			if tag.Key == "error" {
				marks++
			}
		}
		if marks != 1 {
			t.Errorf("%d: error was set %d times, want once", status, marks)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPublicEndpoint: nothing the caller sends decides anything.
func TestPublicEndpoint(t *testing.T) {
	for name, tt := range map[string]struct {
		header []string
		link   bool
	}{
		"sampled":  {[]string{"Traceparent", "00-" + parentID + "-01", "Baggage", "k=v"}, true},
		"jaeger":   {[]string{"Uber-Trace-Id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:3", "Uberctx-K", "v"}, true},
		"debug id": {[]string{"Jaeger-Debug-Id", "x"}, false},
		"baggage":  {[]string{"Jaeger-Baggage", "k=v"}, false},
	} {
		for _, sampler := range []jaeger.Sampler{always, never} {
			tracer, reporter := newJaeger(t, sampler)
			h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("X-Trace-Id"), httpmw.WithPublicEndpoint(func(*http.Request) bool { return true }))(
				http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if got := opentracing.SpanFromContext(r.Context()).BaggageItem("k"); got != "" {
						t.Errorf("%s: baggage %q", name, got)
					}
				}))
			w := handle(h, "GET", "/", tt.header...)
			if w.Header().Get("X-Trace-Id") != "" {
				t.Errorf("%s: trace id sent to the public", name)
			}
			want := 0
			if sampler == jaeger.Sampler(always) {
				want = 1
			}
			if got := reporter.SpansSubmitted(); got != want {
				t.Errorf("%s: %d spans, want %d", name, got, want)
				continue
			}
			if want == 0 {
				continue
			}
			span := reporter.GetSpans()[0].(*jaeger.Span)
			if span.SpanContext().ParentID() != 0 || span.SpanContext().TraceID().String() == parentID[:32] {
				t.Errorf("%s: joined the caller's trace", name)
			}
			if got := span.Tags()["link.trace_id"] == parentID[:32] && span.Tags()["link.span_id"] == parentID[33:]; got != tt.link {
				t.Errorf("%s: link %v", name, span.Tags())
			}
		}
	}
}

func TestTraceIDHeader(t *testing.T) {
	tracer, _ := newJaeger(t, never)
	h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("x-trace-id"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := w.Header().Get("X-Trace-Id"); got != parentID[:32] {
			t.Errorf("the handler sees %q", got)
		}
	}))
	w := handle(h, "GET", "/", "Traceparent", "00-"+parentID+"-00")
	if got := w.Header()["X-Trace-Id"]; len(got) != 1 || got[0] != parentID[:32] {
		t.Errorf("X-Trace-Id = %q", got)
	}
}

// TestTraceIDHeaderFormats of https://w3c.github.io/trace-context/#traceresponse-header and Server-Timing.
func TestTraceIDHeaderFormats(t *testing.T) {
	unsampled, _ := newJaeger(t, never)
	sampled, _ := newJaeger(t, always)
	for _, tt := range []struct {
		tracer opentracing.Tracer
		flags  string
	}{{unsampled, "00"}, {sampled, "01"}, {&identified{}, "00"}, {&identified{sampled: true}, "01"}} {
		for _, name := range []string{"traceresponse", "TraceResponse", "server-timing", "X-Trace-Id"} {
			var id, before string
			h := httpmw.Middleware(tt.tracer, httpmw.WithTraceIDHeader(name))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sc := opentracing.SpanFromContext(r.Context()).Context()
				before = w.Header().Get(name)
				id = "00-" + carrier.TraceID(sc) + "-" + carrier.SpanID(sc) + "-" + tt.flags
			}))
			got := handle(h, "GET", "/").Header().Values(name)
			want := id
			switch name {
			case "server-timing":
				want = `traceparent;desc="` + id + `"`
			case "X-Trace-Id":
				want = id[3:35]
			}
			if len(id) != 55 || len(got) != 1 || got[0] != want || before != want {
				t.Errorf("%s %q = %q, for the handler %q, want %q", tt.flags, name, got, before, want)
			}
		}
	}
}

// TestTraceIDHeaderBeforeSampling is decided: it says what trace headers to other services say.
func TestTraceIDHeaderBeforeSampling(t *testing.T) {
	tracer, _ := newJaeger(t, undecided{})
	h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("traceresponse"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := http.Header{}
		span := opentracing.SpanFromContext(r.Context())
		tracer.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(sent))
		if got := w.Header().Get("traceresponse"); got != sent.Get("traceparent") || !strings.HasSuffix(got, "-00") {
			t.Errorf("traceresponse %q, traceparent %q", got, sent.Get("traceparent"))
		}
	}))
	handle(h, "GET", "/")
}

// undecided is a sampler that never makes up its mind.
type undecided struct{ jaeger.SamplerV2Base }

var later = jaeger.SamplingDecision{Retryable: true}

func (undecided) OnCreateSpan(*jaeger.Span) jaeger.SamplingDecision               { return later }
func (undecided) OnSetOperationName(*jaeger.Span, string) jaeger.SamplingDecision { return later }
func (undecided) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision      { return later }
func (undecided) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision               { return later }

// TestServerTimingBesideOthers, from outside and inside.
func TestServerTimingBesideOthers(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	inner := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("Server-Timing"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Server-Timing", "db;dur=3")
	}))
	got := handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Server-Timing", "edge;dur=1")
		inner.ServeHTTP(w, r)
	}), "GET", "/").Header()["Server-Timing"]
	if len(got) != 3 || got[0] != "edge;dur=1" || !strings.HasPrefix(got[1], "traceparent;desc=") || got[2] != "db;dur=3" {
		t.Errorf("Server-Timing %q", got)
	}
}

func TestNoTraceIDHeader(t *testing.T) {
	engine, _ := newJaeger(t, always)
	public := httpmw.WithPublicEndpoint(func(*http.Request) bool { return true })
	for _, name := range []string{"traceresponse", "Server-Timing", "X-Trace-Id"} {
		for what, use := range map[string]mw{
			"public":      httpmw.Middleware(engine, httpmw.WithTraceIDHeader(name), public),
			"unknown ids": httpmw.Middleware(spantest.New(t), httpmw.WithTraceIDHeader(name)),
			"no-op":       httpmw.Middleware(opentracing.NoopTracer{}, httpmw.WithTraceIDHeader(name)),
			"not traced":  httpmw.Middleware(engine, httpmw.WithTraceIDHeader(name), httpmw.WithFilter(func(*http.Request) bool { return false })),
		} {
			if h := handle(use(http.HandlerFunc(ok)), "GET", "/").Header(); len(h) != 0 {
				t.Errorf("%s: %v", what, h)
			}
		}
	}
}

// identified is a tracer whose contexts tell their ids as strings, and whose spans tell whether they record.
type identified struct {
	opentracing.NoopTracer
	sampled bool
}

type identifiedSpan struct {
	opentracing.Span
	tracer *identified
}

type identifiedContext struct{ opentracing.SpanContext }

func (i *identified) StartSpan(string, ...opentracing.StartSpanOption) opentracing.Span {
	return identifiedSpan{opentracing.NoopTracer{}.StartSpan(""), i}
}

func (s identifiedSpan) IsRecording() bool                { return s.tracer.sampled }
func (s identifiedSpan) Tracer() opentracing.Tracer       { return s.tracer }
func (s identifiedSpan) Context() opentracing.SpanContext { return identifiedContext{} }
func (identifiedContext) TraceID() string                 { return "4bf92f3577b34da6a3ce929d0e0e4736" }
func (identifiedContext) SpanID() string                  { return "f067aa0ba902b7" }

func TestTrustedProxies(t *testing.T) {
	proxies := httpmw.WithTrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", []string{"6.6.6.6"}, "203.0.113.9"},
		{"10.0.0.1:1", []string{"6.6.6.6, 198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:1", []string{"6.6.6.6", "198.51.100.7, 10.1.1.1"}, "198.51.100.7"},
		{"10.0.0.1:1", []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		{"10.0.0.1:1", []string{"198.51.100.7:4444"}, "198.51.100.7"},
		{"[fd00::1]:1", []string{"[2001:db8::5]:4444"}, "2001:db8::5"},
		{"10.0.0.1:1", []string{"198.51.100.7, garbage"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{"::ffff:10.1.1.1"}, "10.1.1.1"},
	} {
		r := request("GET", "/")
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.forwarded
		span := served(t, func(http.ResponseWriter, *http.Request) {}, r, proxies)
		wantTags(t, span, map[string]any{"http.client_ip": tt.want, "peer.address": tt.peer})
	}
	span := served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/", "X-Forwarded-For", "6.6.6.6"))
	wantTags(t, span, map[string]any{"http.client_ip": nil, "peer.ipv4": "192.0.2.1"})
}

func TestHeaderTags(t *testing.T) {
	span := served(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", "v1")
		w.Header().Set("Set-Cookie", "s=1")
	},
		request("GET", "/", "X-Tenant", "a", "X-Tenant", "b", "Authorization", "Bearer hunter2"),
		httpmw.WithHeaderTags([]string{"x-tenant", "host", "X-Missing"}, []string{"etag"}))
	wantTags(t, span, map[string]any{
		"http.request.header.x-tenant": "a, b", "http.request.header.host": "example.com",
		"http.request.header.x-missing": nil, "http.response.header.etag": "v1",
	})
	if all := fmt.Sprint(span.Tags()); strings.Contains(all, "hunter2") || strings.Contains(all, "s=1") {
		t.Errorf("headers that were not asked for: %s", all)
	}
}

// TestNoUserNames: basic auth names users.
func TestNoUserNames(t *testing.T) {
	r := request("GET", "/")
	r.SetBasicAuth("alice", "hunter2")
	if all := fmt.Sprint(served(t, func(http.ResponseWriter, *http.Request) {}, r, httpmw.WithSemconv(httpmw.Both)).Tags()); strings.Contains(all, "alice") {
		t.Errorf("user name on the span: %s", all)
	}
}

func TestOutcome(t *testing.T) {
	var got httpmw.Outcome
	var pattern string
	hook := httpmw.WithOutcome(func(s opentracing.Span, r *http.Request, o *httpmw.Outcome) {
		got, pattern = *o, r.Pattern
		s.SetTag("mine", 1)
		o.IsError = o.Status == 404
	})
	run := func(h http.HandlerFunc) *mocktracer.MockSpan {
		tracer := spantest.New(t)
		r := chi.NewRouter()
		r.Use(httpmw.Middleware(tracer, hook))
		r.Post("/users/{id}", h)
		func() {
			defer func() { recover() }()
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/users/1", strings.NewReader("four")))
		}()
		return one(t, tracer)
	}
	span := run(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404); io.WriteString(w, "nobody") })
	wantTags(t, span, map[string]any{"error": true, "error.type": "404", "mine": 1})
	if got.Route != "/users/{id}" || got.Status != 404 || got.BytesIn != 4 || got.BytesOut != 6 || got.Duration <= 0 ||
		got.FirstByte <= 0 || got.FirstByte > got.Duration || pattern != "/users/{id}" {
		t.Errorf("outcome %+v, pattern %q", got, pattern)
	}
	span = run(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })
	wantTags(t, span, map[string]any{"error": nil, "error.type": nil, "otel.status_code": "OK", "http.status_code": uint16(500)})
	span = run(func(w http.ResponseWriter, r *http.Request) { panic("boom") })
	wantTags(t, span, map[string]any{"error": nil})
	if got.Panic != "boom" {
		t.Errorf("panic %v", got.Panic)
	}
	span = served(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"),
		httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { panic("x") }))
	wantTags(t, span, map[string]any{"http.status_code": uint16(200), "spanloom.hook_panics": 1})
}

// TestAnotherRequestInsideOne is another span; the same request in another middleware is not.
func TestAnotherRequestInsideOne(t *testing.T) {
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	inner := m(http.HandlerFunc(ok))
	h := m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.Clone(r.Context()))
		sub, _ := http.NewRequestWithContext(r.Context(), "GET", "/sub", nil)
		inner.ServeHTTP(httptest.NewRecorder(), sub)
	}))
	handle(h, "GET", "/")
	spans := tracer.Finished()
	if len(spans) != 2 || spans[0].ParentID != spans[1].SpanContext.SpanID {
		t.Errorf("spans %v, want the request within the other", spans)
	}
}

// TestGlobalTracer is asked anew for each request.
func TestGlobalTracer(t *testing.T) {
	before := opentracing.GlobalTracer()
	defer opentracing.SetGlobalTracer(before)
	h := httpmw.Middleware(nil)(http.HandlerFunc(ok))
	handle(h, "GET", "/")
	tracer := spantest.New(t)
	opentracing.SetGlobalTracer(tracer)
	handle(h, "GET", "/")
	one(t, tracer)
}

func TestLateSamplingGetsAllTags(t *testing.T) {
	tracer, reporter := newJaeger(t, never)
	h := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ext.SamplingPriority.Set(opentracing.SpanFromContext(r.Context()), 1)
	}))
	handle(h, "GET", "/x")
	if reporter.SpansSubmitted() != 1 {
		t.Fatal("not reported")
	}
	tags := reporter.GetSpans()[0].(*jaeger.Span).Tags()
	if tags["http.method"] != "GET" || tags["http.status_code"] != uint16(200) || tags["span.kind"] != ext.SpanKindRPCServerEnum {
		t.Errorf("tags %v", tags)
	}
}

func TestHostileRequests(t *testing.T) {
	r := request("GET", "/", "User-Agent", strings.Repeat("a", 1<<20), "X-Forwarded-For", strings.Repeat("10.0.0.1,", 1<<16))
	r.Host = "user:hunter2@" + strings.Repeat("h", 1<<16)
	r.RemoteAddr = strings.Repeat("9", 1<<16)
	r.Method = strings.Repeat("M", 1<<16)
	span := served(t, func(http.ResponseWriter, *http.Request) {}, r, httpmw.WithSemconv(httpmw.Both),
		httpmw.WithTrustedProxies(netip.MustParsePrefix("0.0.0.0/0")), httpmw.WithHeaderTags([]string{"User-Agent"}, nil))
	for k, v := range span.Tags() {
		if s, ok := v.(string); ok && len(s) > 1024+3 {
			t.Errorf("tag %s has %d bytes", k, len(s))
		}
	}
	if strings.Contains(fmt.Sprint(span.Tags()), "hunter2") {
		t.Error("secret of the Host header on the span")
	}
}

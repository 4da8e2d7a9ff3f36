package bench

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	ddchi "github.com/DataDog/dd-trace-go/contrib/go-chi/chi.v5/v2"
	"github.com/go-chi/chi/v5"
	"github.com/opentracing-contrib/go-stdlib/nethttp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/otelbridge"
)

// httpServer is a way to trace a chi router. start returns the traced router, the headers of the remote parent, a
// stop that ends background work, and the counter of spans.
type httpServer struct {
	name  string
	start func(testing.TB, mode) (h http.Handler, headers map[string]string, stop func(), c *count)
}

func nothing() {}

var httpServers = []httpServer{
	{"bare", func(testing.TB, mode) (http.Handler, map[string]string, func(), *count) {
		return users(), nil, nothing, nil
	}},
	{"floor", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		t, c := stockTracer(tb, m.sampled)
		return users(floor(t)), nil, nothing, c
	}},
	{"spanloom", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		t, c := spanloomTracer(tb, m.sampled)
		return users(httpmw.Middleware(t)), w3cHeaders(m), nothing, c
	}},
	{"spanloom-bridge", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		t, c := spanloomTracer(tb, m.sampled)
		return users(httpmw.Middleware(otelbridge.New(t).OpenTracing())), w3cHeaders(m), nothing, c
	}},
	{"spanloom-stock", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		t, c := stockTracer(tb, m.sampled)
		return users(httpmw.Middleware(t)), jaegerHeaders(m), nothing, c
	}},
	{"nethttp", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		t, c := stockTracer(tb, m.sampled)
		return users(func(next http.Handler) http.Handler { return nethttp.Middleware(t, next) }), jaegerHeaders(m), nothing, c
	}},
	{"otelchi", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		tp, c := otelProvider(tb, m.sampled)
		mw := otelchi.Middleware("bench", otelchi.WithTracerProvider(tp), otelchi.WithPropagators(otelPropagator()))
		return users(mw), w3cHeaders(m), nothing, c
	}},
	{"otelhttp", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		tp, c := otelProvider(tb, m.sampled)
		mw := otelhttp.NewMiddleware("bench", otelhttp.WithTracerProvider(tp), otelhttp.WithPropagators(otelPropagator()))
		return users(mw), w3cHeaders(m), nothing, c
	}},
	{"dd-trace-go", func(tb testing.TB, m mode) (http.Handler, map[string]string, func(), *count) {
		c, stop := startDatadog(tb, m.sampled)
		return users(ddchi.Middleware()), ddHeaders(m), stop, c
	}},
}

// users is the router of every server benchmark.
func users(mws ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(mws...)
	r.Get("/users/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	return r
}

// floor is the least that jaeger-client-go itself needs: start a span, the tags that spanloom sets, finish. It
// reads no header and watches no response.
func floor(t opentracing.Tracer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			span := t.StartSpan("GET /users/{id}", ext.SpanKindRPCServer)
			span.SetTag("component", "net/http")
			span.SetTag("http.method", r.Method)
			span.SetTag("http.url", "http://example.com"+r.URL.Path)
			span.SetTag("http.route", "/users/{id}")
			span.SetTag("http.user_agent", r.UserAgent())
			span.SetTag("peer.address", r.RemoteAddr)
			next.ServeHTTP(w, r)
			span.SetTag("http.status_code", uint16(200))
			span.SetTag("http.response_size", 2)
			span.Finish()
		})
	}
}

// request has 15 headers, those of a remote parent among them.
func request(parent map[string]string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "http://example.com/users/42", nil)
	r.RemoteAddr = "192.0.2.7:51234"
	for k, v := range parent {
		r.Header.Set(k, v)
	}
	for _, k := range headerNames {
		if len(r.Header) < 15 {
			r.Header.Set(k, "value of "+k)
		}
	}
	return r
}

var headerNames = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Cookie", "Dnt", "Referer", "Sec-Fetch-Dest",
	"Sec-Fetch-Mode", "Sec-Fetch-Site", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id",
}

// discard is a ResponseWriter with the optional interfaces of net/http's HTTP/1.1 writer, and no connection.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header                 { return d.header }
func (d *discard) Write(p []byte) (int, error)         { return len(p), nil }
func (d *discard) WriteString(s string) (int, error)   { return len(s), nil }
func (d *discard) WriteHeader(status int)              { d.status = status }
func (d *discard) Flush()                              {}
func (d *discard) FlushError() error                   { return nil }
func (d *discard) CloseNotify() <-chan bool            { return nil }
func (d *discard) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
func (d *discard) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}
func (d *discard) SetReadDeadline(time.Time) error  { return nil }
func (d *discard) SetWriteDeadline(time.Time) error { return nil }
func (d *discard) EnableFullDuplex() error          { return nil }

func BenchmarkHTTPServer(b *testing.B) {
	for _, m := range modes {
		for _, peer := range httpServers {
			b.Run(m.name+"/"+peer.name, func(b *testing.B) {
				h, headers, stop, _ := peer.start(b, m)
				defer stop()
				r, w := request(headers), &discard{header: http.Header{}}
				measure(b, func() {
					clear(w.header)
					h.ServeHTTP(w, r)
				})
			})
		}
	}
}

func TestHTTPServersMakeTheirSpans(t *testing.T) {
	for _, m := range modes {
		for _, peer := range httpServers {
			t.Run(m.name+"/"+peer.name, func(t *testing.T) {
				h, headers, stop, c := peer.start(t, m)
				r := request(headers)
				if len(r.Header) != 15 {
					t.Errorf("%d headers, want 15", len(r.Header))
				}
				w := httptest.NewRecorder()
				for range 10 {
					h.ServeHTTP(w, r)
				}
				stop()
				checkSpans(t, c, m, 10)
				if w.Body.String() != "okokokokokokokokokok" {
					t.Errorf("body %q", w.Body)
				}
			})
		}
	}
}

// checkSpans allows no peer to win by doing nothing. The floor reads no parent; dd-trace-go's payloads carry the
// unsampled, too.
func checkSpans(t *testing.T, c *count, m mode, n int64) {
	t.Helper()
	if c == nil {
		return
	}
	got := c.spans.Load()
	if m.sampled && got != n || !m.sampled && got != 0 && got != n {
		t.Errorf("%d spans exported, want %d", got, n)
	}
}

// mustURL is for constants.
func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

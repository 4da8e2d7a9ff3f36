package httpmw_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
)

// quietWriter is net/http's writer as the middleware sees it, without a connection.
type quietWriter struct {
	full
	header http.Header
}

func (w *quietWriter) Header() http.Header                 { return w.header }
func (w *quietWriter) Write(p []byte) (int, error)         { return len(p), nil }
func (w *quietWriter) WriteString(s string) (int, error)   { return len(s), nil }
func (w *quietWriter) WriteHeader(int)                     {}
func (w *quietWriter) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

// browserRequest has 15 headers.
func browserRequest(extra ...string) *http.Request {
	r := httptest.NewRequest("GET", "/users/123?page=2", nil)
	r.RemoteAddr = "203.0.113.9:51234"
	for _, name := range strings.Fields(`Accept Accept-Encoding Accept-Language Cache-Control Connection Cookie Dnt Origin
		Pragma Referer Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Upgrade-Insecure-Requests`) {
		r.Header.Set(name, "value of "+name)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537.36")
	for i := 0; i+1 < len(extra); i += 2 {
		r.Header.Set(extra[i], extra[i+1])
	}
	return r
}

func engine(t testing.TB, sampler jaeger.Sampler) opentracing.Tracer {
	t.Helper()
	return reportTo(t, sampler, jaeger.NewNullReporter())
}

func chiHandler(use ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(use...)
	body := []byte("ok")
	r.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) { w.Write(body) })
	return r
}

const parentID = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

// work is a row of the budget.
type work struct {
	name    string
	tracer  func(testing.TB) opentracing.Tracer
	header  []string
	ceiling float64
}

var serverWork = []work{
	{"sampled root", func(t testing.TB) opentracing.Tracer { return engine(t, always) }, nil, 6},
	{"sampled parent", func(t testing.TB) opentracing.Tracer { return engine(t, never) }, []string{"Traceparent", "00-" + parentID + "-01"}, 6},
	{"unsampled root", func(t testing.TB) opentracing.Tracer { return engine(t, never) }, nil, 4},
	{"unsampled parent", func(t testing.TB) opentracing.Tracer { return engine(t, always) }, []string{"Traceparent", "00-" + parentID + "-00"}, 4},
	{"no-op", func(testing.TB) opentracing.Tracer { return opentracing.NoopTracer{} }, nil, 0},
}

func allocs(h http.Handler, r *http.Request) float64 {
	w := &quietWriter{header: http.Header{}}
	return testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
}

func TestServersKeepTheirCeilingsOfAllocs(t *testing.T) {
	skipUnderRace(t)
	for _, tt := range serverWork {
		t.Run(tt.name, func(t *testing.T) {
			r := browserRequest(tt.header...)
			got := allocs(chiHandler(httpmw.Middleware(tt.tracer(t))), r) - allocs(chiHandler(), r)
			t.Logf("%v allocations", got)
			if got > tt.ceiling {
				t.Errorf("%v allocations, want at most %v", got, tt.ceiling)
			}
		})
	}
}

// A service that sheds load answers 503 to most requests, so these cost no more than others.
func TestSheddingLoadAllocations(t *testing.T) {
	skipUnderRace(t)
	answering := func(status int) float64 {
		r := chi.NewRouter()
		r.Use(httpmw.Middleware(engine(t, never)))
		r.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		return allocs(r, browserRequest())
	}
	if got, want := answering(http.StatusServiceUnavailable), answering(http.StatusInternalServerError); got > want {
		t.Errorf("%v allocations for 503, want %v as for 500", got, want)
	}
}

// Values of one request that share a place are all remembered.
func TestValuesThatMeet(t *testing.T) {
	skipUnderRace(t)
	h := chiHandler(httpmw.Middleware(engine(t, always)))
	w, r := &quietWriter{header: http.Header{}}, browserRequest()
	base := allocs(chiHandler(), r)
	for i := range 200 {
		r.Header.Set("User-Agent", fmt.Sprint("agent ", i))
		if got := testing.AllocsPerRun(20, func() { h.ServeHTTP(w, r) }) - base; got > serverWork[0].ceiling {
			t.Fatalf("agent %d: %v allocations, want at most %v", i, got, serverWork[0].ceiling)
		}
	}
}

// The writers of tests, of minimal servers and of chi's Logger and Compress are as cheap as net/http's.
func TestUsualWritersAllocateNothing(t *testing.T) {
	skipUnderRace(t)
	quiet := &quietWriter{header: http.Header{}}
	writers := map[string]http.ResponseWriter{
		"plain": struct{ http.ResponseWriter }{quiet},
		"flusher": struct {
			http.ResponseWriter
			http.Flusher
		}{quiet, quiet},
		"recorder": struct {
			http.ResponseWriter
			http.Flusher
			io.StringWriter
		}{quiet, quiet, quiet},
		"logger": middleware.NewWrapResponseWriter(struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{quiet, quiet, nil, nil}, 1),
		"logger, HTTP/2": middleware.NewWrapResponseWriter(struct {
			http.ResponseWriter
			http.Flusher
			http.Pusher
		}{quiet, quiet, nil}, 2),
		"compressor": compressing(quiet),
	}
	h, r := chiHandler(httpmw.Middleware(engine(t, never))), browserRequest()
	want := allocs(h, r)
	for name, w := range writers {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); got > want {
				t.Errorf("%v allocations, want %v", got, want)
			}
		})
	}
}

// canned answers every request with a body of two bytes.
type canned struct{}

func (canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(&short{}), ContentLength: 2, Request: r}, nil
}

type short struct{ n int }

func (s *short) Read(p []byte) (int, error) {
	if s.n++; s.n > 2 {
		return 0, io.EOF
	}
	return 1, nil
}

func clientAllocs(t testing.TB, rt http.RoundTripper) float64 {
	r := browserRequest()
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "https", "api.example.com"
	r = r.WithContext(context.Background())
	return testing.AllocsPerRun(200, func() { roundTrip(t, rt, r) })
}

func roundTrip(t testing.TB, rt http.RoundTripper, r *http.Request) {
	resp, err := rt.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	var buf [8]byte
	for err == nil {
		_, err = resp.Body.Read(buf[:])
	}
	resp.Body.Close()
}

func TestClientsKeepTheirCeilingsOfAllocs(t *testing.T) {
	skipUnderRace(t)
	for _, tt := range []struct {
		name    string
		tracer  opentracing.Tracer
		ceiling float64
	}{
		{"sampled", engine(t, always), 12},
		{"unsampled", engine(t, never), 10},
		{"no-op", opentracing.NoopTracer{}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := clientAllocs(t, httpmw.Transport(tt.tracer, canned{})) - clientAllocs(t, canned{})
			t.Logf("%v allocations", got)
			if got > tt.ceiling {
				t.Errorf("%v allocations, want at most %v", got, tt.ceiling)
			}
		})
	}
}

func BenchmarkMiddleware(b *testing.B) {
	run := func(name string, h http.Handler, r *http.Request) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := &quietWriter{header: http.Header{}}
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
	run("base", chiHandler(), browserRequest())
	for _, tt := range serverWork {
		run(fmt.Sprintf("traced/%s", tt.name), chiHandler(httpmw.Middleware(tt.tracer(b))), browserRequest(tt.header...))
	}
}

func BenchmarkTransport(b *testing.B) {
	run := func(name string, rt http.RoundTripper) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			r := browserRequest()
			r.RequestURI, r.URL.Scheme, r.URL.Host = "", "https", "api.example.com"
			for b.Loop() {
				roundTrip(b, rt, r)
			}
		})
	}
	run("base", canned{})
	run("traced/sampled", httpmw.Transport(engine(b, always), canned{}))
	run("traced/unsampled", httpmw.Transport(engine(b, never), canned{}))
	run("traced/no-op", httpmw.Transport(opentracing.NoopTracer{}, canned{}))
}

// hostileRequest is what net/http makes of a request with this target.
func hostileRequest(target string) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(err)
	}
	return &http.Request{Method: "GET", URL: u, RequestURI: target, Host: "a.example", RemoteAddr: "10.0.0.1:1", Header: http.Header{}}
}

// No request makes the middleware allocate more than 32 KiB.
func TestHostileRequestsKeepTheirCeilingOfAllocs(t *testing.T) {
	const limit = 32 << 10
	mw := httpmw.Middleware(engine(t, always), httpmw.WithSemconv(httpmw.Both),
		httpmw.WithHeaderTags([]string{"X-Many"}, nil), httpmw.WithTrustedProxies(netip.MustParsePrefix("10.0.0.0/8")))
	with := func(name string, values ...string) *http.Request {
		r := hostileRequest("/")
		r.Header[name] = values
		return r
	}
	for name, r := range map[string]*http.Request{
		"path":          hostileRequest("/" + strings.Repeat("%20", 1<<18)),
		"absolute form": hostileRequest("http://a.example/" + strings.Repeat("%20", 1<<18)),
		"secret":        hostileRequest("/?token=x&" + strings.Repeat("a", 1<<19)),
		"secrets":       hostileRequest("/?" + strings.Repeat("token=x&", 1<<16)),
		"header":        with("X-Many", slices.Repeat([]string{"value"}, 1<<16)...),
		"proxies":       with("X-Forwarded-For", "1:"+strings.Repeat("x", 1<<19)),
		"escaped keys":  hostileRequest("/?" + strings.Repeat("%41=x&", 1<<16)),
	} {
		t.Run(name, func(t *testing.T) {
			if got := allocated(func() { mw(http.HandlerFunc(ok)).ServeHTTP(&quietWriter{header: http.Header{}}, r) }); got > limit {
				t.Errorf("%d bytes, want at most %d", got, limit)
			}
		})
	}
}

// TestHostileAllocationsOfMuxes: those that a ServeMux makes for a path are not made twice, and its route is known still.
func TestHostileAllocationsOfMuxes(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/tree/{rest...}", ok)
	tracer, reporter := newJaeger(t, always)
	traced := httpmw.Middleware(tracer)(mux)
	for name, target := range map[string]string{
		"escaped": "/tree/" + strings.Repeat("%20", 1<<18), "unclean": "/tree/" + strings.Repeat("/b", 1<<18),
		"redirect": "/tree?" + strings.Repeat("q", 1<<19), "not long": "/tree/" + strings.Repeat("/b", 1000) + "?" + strings.Repeat("q", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			reporter.Reset()
			r := hostileRequest(target)
			serve := func(h http.Handler) uint64 {
				return allocated(func() { h.ServeHTTP(&quietWriter{header: http.Header{}}, r.WithContext(t.Context())) })
			}
			if bare, got := serve(mux), serve(traced); got > bare+32<<10 {
				t.Errorf("%d bytes, %d without the middleware", got, bare)
			}
			if got := spanName(reporter); got != "GET /tree/{rest...}" {
				t.Errorf("name %q", got)
			}
		})
	}
}

// allocated returns how many bytes f allocates when it runs for the second time.
func allocated(f func()) uint64 {
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestHostileRequestsAreNotKept: spans wait for their export, and what they quote must not hold on to all of a request.
func TestHostileRequestsAreNotKept(t *testing.T) {
	const size, requests = 1 << 19, 8
	hook := httpmw.WithURLRedaction(func(u *url.URL) string { return u.String() })
	for name, tt := range map[string]struct {
		line string // method, target; fields of one string, as in net/http
		opts []httpmw.ServerOption
	}{
		"path":   {"GET /" + strings.Repeat("a", size), nil},
		"method": {"SCAN /" + strings.Repeat("a", size), nil},
		"query":  {strings.Repeat("M", size) + " /?q=1", nil},
		"hook":   {"GET /" + strings.Repeat("a", size), []httpmw.ServerOption{hook}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newJaeger(t, always)
			h := httpmw.Middleware(tracer, append(tt.opts, httpmw.WithSemconv(httpmw.Both))...)(http.HandlerFunc(ok))
			before := held()
			for range requests {
				method, target, _ := strings.Cut(strings.Clone(tt.line), " ")
				r := hostileRequest(target)
				r.Method = method
				h.ServeHTTP(&quietWriter{header: http.Header{}}, r)
			}
			if got := held() - before; got > size*requests/2 {
				t.Errorf("%d spans hold %d bytes", reporter.SpansSubmitted(), got)
			}
		})
	}
}

// held returns the size of what the garbage collector cannot free.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestHostileAllocationsOfClients: a proxy sends on what it was sent.
func TestHostileAllocationsOfClients(t *testing.T) {
	rt := httpmw.Transport(engine(t, always), reply(200, http.NoBody), httpmw.WithSemconv(httpmw.Both))
	for name, target := range map[string]string{
		"spaces":  "http://a.example/" + strings.Repeat("%20", 1<<18),
		"slashes": "http://a.example/" + strings.Repeat("%2F", 1<<18),
		"secret":  "http://a.example/?token=x&" + strings.Repeat("a", 1<<19),
	} {
		t.Run(name, func(t *testing.T) {
			r := newGet(t.Context(), target)
			if got := allocated(func() { rt.RoundTrip(r) }); got > 32<<10 {
				t.Errorf("%d bytes", got)
			}
		})
	}
}

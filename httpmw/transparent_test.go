package httpmw_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// protocols are the ways in which a server is reached.
var protocols = map[string]func(*httptest.Server){
	"http/1.1": func(s *httptest.Server) { s.Start() },
	"h2":       func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
	"h2c": func(s *httptest.Server) {
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
		tr := &http.Transport{Protocols: new(http.Protocols)}
		tr.Protocols.SetUnencryptedHTTP2(true)
		s.Client().Transport = tr
	},
}

// exchange is all that the two sides see of a request.
type exchange struct {
	Status   int
	Proto    string
	Header   http.Header
	Trailer  http.Header
	Early    []string
	Body     string
	Error    string
	Length   int64
	Encoding []string
	Uncompr  bool
	Own      bool     // the response's request is the caller's
	Handler  []string // what the handler notes
	ErrorLog string
	Frame    bool // the error log shows the handler's frame
}

// notes is what a handler saw.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

type row struct {
	name    string
	handler func(w http.ResponseWriter, r *http.Request, n *notes)
	request func(url string) *http.Request
}

func post(body string, chunked bool) func(string) *http.Request {
	return func(url string) *http.Request {
		var rd io.Reader = strings.NewReader(body)
		if chunked {
			rd = struct{ io.Reader }{rd}
		}
		r, _ := http.NewRequest("POST", url, rd)
		return r
	}
}

func interfaces(w http.ResponseWriter) (has []string) {
	note := func(name string, ok bool) {
		if ok {
			has = append(has, name)
		}
	}
	_, ok := w.(http.Flusher)
	note("Flusher", ok)
	_, ok = w.(interface{ FlushError() error })
	note("FlushError", ok)
	_, ok = w.(http.Hijacker)
	note("Hijacker", ok)
	_, ok = w.(http.Pusher)
	note("Pusher", ok)
	_, ok = w.(http.CloseNotifier) //lint:ignore SA1019 handlers may still ask for it
	note("CloseNotifier", ok)
	_, ok = w.(io.ReaderFrom)
	note("ReaderFrom", ok)
	_, ok = w.(io.StringWriter)
	note("StringWriter", ok)
	_, ok = w.(interface{ SetReadDeadline(time.Time) error })
	note("SetReadDeadline", ok)
	_, ok = w.(interface{ SetWriteDeadline(time.Time) error })
	note("SetWriteDeadline", ok)
	_, ok = w.(interface{ EnableFullDuplex() error })
	note("EnableFullDuplex", ok)
	return has
}

var rows = []row{
	{name: "nothing written", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {}},
	{name: "write", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		k, err := w.Write([]byte("<p>hello"))
		n.add("%d %v", k, err)
	}},
	{name: "status and headers", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("X-A", "1")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "lost")
		io.WriteString(w, "short and stout")
	}},
	{name: "interfaces", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		n.add("%v", interfaces(w))
	}},
	{name: "response controller", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		rc := http.NewResponseController(w)
		n.add("%v", rc.SetWriteDeadline(time.Now().Add(time.Minute)))
		n.add("%v", rc.SetReadDeadline(time.Now().Add(time.Minute)))
		n.add("%v", rc.EnableFullDuplex())
		n.add("%v", rc.Flush())
	}},
	{name: "103 then 404", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusNotFound)
	}},
	{name: "superfluous WriteHeader", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusInternalServerError)
	}},
	{name: "flush before write", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.(http.Flusher).Flush()
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "late")
	}},
	{name: "server-sent events", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			n.add("%v", http.NewResponseController(w).Flush())
		}
	}},
	{name: "trailers", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Surprise", "yes")
	}},
	{name: "unannounced trailers", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		io.WriteString(w, "body")
		http.NewResponseController(w).Flush()
		w.Header().Set(http.TrailerPrefix+"X-Surprise", "yes")
	}},
	{name: "request trailers", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		b, err := io.ReadAll(r.Body)
		n.add("%s %v %v", b, err, r.Trailer)
	}, request: func(url string) *http.Request {
		r := post("with trailer", true)(url)
		r.Trailer = http.Header{"X-Sum": {"1"}}
		return r
	}},
	{name: "copy from a file", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		f, err := os.Open("doc.go")
		n.add("%v", err)
		defer f.Close()
		k, err := io.Copy(w, f)
		n.add("%t %v", k > 1000, err)
	}},
	{name: "serve file", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		http.ServeFile(w, r, "doc.go")
	}},
	{name: "failing source, then an error", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		_, err := io.Copy(w, iotest{})
		n.add("%v", err)
		http.Error(w, "failed", http.StatusBadGateway)
	}},
	{name: "no body allowed", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.WriteHeader(http.StatusNoContent)
		_, err := io.WriteString(w, "x")
		n.add("%v %t", err, errors.Is(err, http.ErrBodyNotAllowed))
	}},
	{name: "too much for the length", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("Content-Length", "2")
		_, err := io.WriteString(w, "abcdef")
		n.add("%t", errors.Is(err, http.ErrContentLength))
	}},
	{name: "HEAD", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		k, err := io.WriteString(w, "hello")
		n.add("%d %v", k, err)
	}, request: func(url string) *http.Request { r, _ := http.NewRequest("HEAD", url, nil); return r }},
	{name: "echo", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		n.add("%d %v %T", r.ContentLength, r.TransferEncoding, r.Body)
		io.Copy(w, r.Body)
	}, request: post(strings.Repeat("echo ", 5000), true)},
	{name: "expect continue, refused", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.WriteHeader(http.StatusExpectationFailed)
	}, request: func(url string) *http.Request {
		r := post(strings.Repeat("x", 1<<20), false)(url)
		r.Header.Set("Expect", "100-continue")
		return r
	}},
	{name: "expect continue, read", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		b, err := io.ReadAll(r.Body)
		n.add("%d %v", len(b), err)
	}, request: func(url string) *http.Request {
		r := post(strings.Repeat("x", 1<<16), false)(url)
		r.Header.Set("Expect", "100-continue")
		return r
	}},
	{name: "gzip", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "small and round")
		z.Close()
	}},
	{name: "too large", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		_, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 3))
		n.add("%v", err)
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	}, request: post("abcdef", false)},
	{name: "panic", handler: panicking("boom")},
	{name: "panic with an error", handler: panicking(fmt.Errorf("boom %w", io.EOF))},
	{name: "panic after write", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panicking("boom")(w, r, n)
	}},
	{name: "abort", handler: panicking(http.ErrAbortHandler)},
	{name: "invalid status", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		defer func() { n.add("%v", recover()) }()
		w.WriteHeader(42)
	}},
	{name: "hijack", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		h, ok := w.(http.Hijacker)
		if !ok {
			n.add("no hijacker")
			return
		}
		conn, rw, err := h.Hijack()
		n.add("%v", err)
		defer conn.Close()
		_, err = w.Write([]byte("x"))
		n.add("%v", err)
		fmt.Fprint(rw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		rw.Flush()
	}},
	{name: "push", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		if p, ok := w.(http.Pusher); ok {
			n.add("%v", p.Push("/x", nil))
		}
	}},
	{name: "timeout handler", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}), time.Millisecond, "slow").ServeHTTP(w, r)
	}},
	{name: "max bytes handler", handler: func(w http.ResponseWriter, r *http.Request, n *notes) {
		http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			n.add("%v", err)
		}), 1<<20).ServeHTTP(w, r)
	}, request: post("abc", false)},
}

type iotest struct{}

func (iotest) Read([]byte) (int, error) { return 0, errors.New("no source") }

func panicking(value any) func(w http.ResponseWriter, r *http.Request, n *notes) {
	return func(w http.ResponseWriter, r *http.Request, n *notes) { theHandlersFrame(value) }
}

//go:noinline
func theHandlersFrame(value any) { panic(value) }

var addresses = regexp.MustCompile(`127\.0\.0\.1:\d+|\[recovered[^\]]*\]`)

// observe runs one row and returns what both sides saw.
func observe(t *testing.T, setup func(*httptest.Server), rw row, wrap mw, wrapClient func(http.RoundTripper) http.RoundTripper) exchange {
	t.Helper()
	n, logged := &notes{}, &syncLog{}
	done := make(chan struct{})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rw.handler(w, r, n) })
	wrapped := wrap(bare)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		wrapped.ServeHTTP(w, r)
	}), func(s *httptest.Server) { s.Config.ErrorLog = log.New(logged, "", 0) }, setup)

	srv.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute // so that bodies wait to be asked for
	srv.Client().Transport = wrapClient(srv.Client().Transport)

	request := func(url string) *http.Request { r, _ := http.NewRequest("GET", url, nil); return r }
	if rw.request != nil {
		request = rw.request
	}
	var early []string
	r := request(srv.URL + "/path?q=1")
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			early = append(early, fmt.Sprint(code, h))
			return nil
		}}))
	e := exchange{}
	resp, err := srv.Client().Do(r)
	if err != nil {
		e.Error = addresses.ReplaceAllString(err.Error(), "ADDR")
	} else {
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Header.Del("Date")
		e.Status, e.Proto, e.Header, e.Trailer, e.Body, e.Early = resp.StatusCode, resp.Proto, resp.Header, resp.Trailer, string(body), early
		e.Length, e.Encoding, e.Uncompr, e.Own = resp.ContentLength, resp.TransferEncoding, resp.Uncompressed, resp.Request == r
		e.Error = addresses.ReplaceAllString(fmt.Sprint(err), "ADDR")
	}
	<-done
	if strings.HasPrefix(rw.name, "panic") {
		eventually(t, func() bool { return strings.Contains(logged.String(), "theHandlersFrame") })
	}
	srv.Client().CloseIdleConnections()
	srv.Close()
	e.Handler = n.lines
	first, _, _ := strings.Cut(logged.String(), "\n")
	first, _, _ = strings.Cut(first, " from ") // names the caller's frame, which is a middleware's with any middleware
	e.ErrorLog = addresses.ReplaceAllString(first, "ADDR")
	e.Frame = strings.Contains(logged.String(), "theHandlersFrame")
	return e
}

func bareClient(rt http.RoundTripper) http.RoundTripper { return rt }

// TestTransparent runs handlers bare and traced: whatever differs is a defect.
func TestTransparent(t *testing.T) {
	watching := httpmw.WithUnclosedBody(func(*http.Request, string) { t.Error("a body was not closed") })
	for proto, setup := range protocols {
		t.Run(proto, func(t *testing.T) {
			for _, rw := range rows {
				t.Run(rw.name, func(t *testing.T) {
					bare := observe(t, setup, rw, plain, bareClient)
					tracer := spantest.New(t)
					if d := cmp.Diff(bare, observe(t, setup, rw, httpmw.Middleware(tracer), bareClient)); d != "" {
						t.Errorf("bare and traced servers differ:\n%s", d)
					}
					one(t, tracer)
					for _, opt := range []httpmw.ClientOption{httpmw.WithConnectionEvents(), watching} {
						tracer := spantest.New(t)
						traced := func(rt http.RoundTripper) http.RoundTripper { return httpmw.Transport(tracer, rt, opt) }
						if d := cmp.Diff(bare, observe(t, setup, rw, plain, traced)); d != "" {
							t.Errorf("bare and traced clients differ:\n%s", d)
						}
						one(t, tracer)
					}
				})
			}
		})
	}
}

func TestTransparentTwice(t *testing.T) {
	tracer := spantest.New(t)
	for _, rw := range rows {
		mw, other := httpmw.Middleware(tracer), httpmw.Middleware(nil)
		bare := observe(t, protocols["http/1.1"], rw, plain, bareClient)
		traced := observe(t, protocols["http/1.1"], rw, func(h http.Handler) http.Handler { return mw(other(mw(h))) }, bareClient)
		if d := cmp.Diff(bare, traced); d != "" {
			t.Errorf("%s: bare and traced differ:\n%s", rw.name, d)
		}
	}
	if got := len(tracer.Finished()); got != len(rows) {
		t.Errorf("%d spans of %d requests", got, len(rows))
	}
}

func TestUnannouncedRequestTrailers(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"bare": func(h http.Handler) http.Handler { return h }, "traced": httpmw.Middleware(spantest.New(t)),
	} {
		trailer := make(chan string, 1)
		srv := serve(t, wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			trailer <- r.Trailer.Get("X-Sum")
		})))
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n")
		if got := <-trailer; got != "7" {
			t.Errorf("%s: trailer %q, want 7", name, got)
		}
	}
}

// TestRequestChangesAreHandedBack: outer middlewares see what inner handlers did to the request.
func TestRequestChangesAreHandedBack(t *testing.T) {
	type key struct{}
	look := func(wrap func(http.Handler) http.Handler) (got []any) {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /a/{id}/{rest...}", func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			r.RemoteAddr, r.Method, r.Host, r.URL = "10.0.0.1:1", "PUT", "b.example", &url.URL{Path: "/b"}
			r.Header = http.Header{"X-A": {"1"}}
		})
		inner := wrap(mux)
		outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			got = append(got, r.Pattern, r.PathValue("id"), r.PathValue("rest"), r.Form.Get("f"), r.PostForm.Get("p"), r.RemoteAddr,
				r.Method, r.Host, r.URL.Path, r.Header.Get("X-A"), r.Context().Value(key{}))
		})
		r := httptest.NewRequest("POST", "/a/7/b/c?f=1", strings.NewReader("p=2"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		outer.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), key{}, "v")))
		return got
	}
	bare := look(func(h http.Handler) http.Handler { return h })
	if d := cmp.Diff(bare, look(httpmw.Middleware(spantest.New(t)))); d != "" {
		t.Error(d)
	}
}

// TestNothingIsHandedBackFromChi: a chi router that is outermost serves a copy.
func TestNothingIsHandedBackFromChi(t *testing.T) {
	for name, wrap := range map[string]mw{"bare": plain, "traced": httpmw.Middleware(spantest.New(t))} {
		r := chi.NewRouter()
		r.Post("/a", func(w http.ResponseWriter, r *http.Request) {
			r.ParseForm()
			r.Method, r.Host, r.RemoteAddr = "PUT", "b.example", "6.6.6.6"
		})
		in := request("POST", "/a")
		wrap(r).ServeHTTP(httptest.NewRecorder(), in)
		if in.Method != "POST" || in.Host != "example.com" || in.Pattern != "" || in.Form != nil || in.RemoteAddr != "192.0.2.1:1234" {
			t.Errorf("%s: %s %s %q %v %s", name, in.Method, in.Host, in.Pattern, in.Form, in.RemoteAddr)
		}
	}
}

// TestChangedRequestsAreDescribedAsTheyCame, also if they are described only at the end.
func TestChangedRequestsAreDescribedAsTheyCame(t *testing.T) {
	for _, sampler := range []jaeger.Sampler{always, never} {
		tracer, reporter := newJaeger(t, sampler)
		handle(httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr, r.Method, r.URL = "6.6.6.6", "GET", &url.URL{Path: "/b"}
			ext.SamplingPriority.Set(opentracing.SpanFromContext(r.Context()), 1)
			io.WriteString(w, "x")
		})), "HEAD", "/a")
		tags := reporter.GetSpans()[0].(*jaeger.Span).Tags()
		for k, want := range map[string]any{"peer.address": "192.0.2.1:1234", "http.method": "HEAD", "http.url": "http://example.com/a", "http.response_size": nil} {
			if tags[k] != want {
				t.Errorf("%v: %s = %v, want %v", sampler, k, tags[k], want)
			}
		}
	}
}

func TestMultipartFilesAreRemoved(t *testing.T) {
	for name, fail := range map[string]bool{"return": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("TMPDIR", dir)
			h := httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseMultipartForm(1); err != nil {
					t.Error(err)
				}
				if left, _ := filepath.Glob(dir + "/multipart-*"); len(left) != 1 {
					t.Errorf("%d files while the handler runs, want 1", len(left))
				}
				if fail {
					panic(http.ErrAbortHandler)
				}
			}))
			srv := serve(t, h)
			var buf bytes.Buffer
			mp := multipart.NewWriter(&buf)
			part, _ := mp.CreateFormFile("f", "f.bin")
			part.Write(bytes.Repeat([]byte("x"), 11<<20))
			mp.Close()
			resp, err := srv.Client().Post(srv.URL, mp.FormDataContentType(), &buf)
			if err == nil {
				resp.Body.Close()
			}
			srv.Close()
			if left, _ := filepath.Glob(dir + "/multipart-*"); !fail && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// writers of any set of optional interfaces keep it.
func TestInterfacesOfOddWriters(t *testing.T) {
	type w struct{ http.ResponseWriter }
	base := w{httptest.NewRecorder()}
	type flushes struct {
		w
		http.Flusher
	}
	type pushes struct {
		w
		http.Pusher
	}
	type hijackReads struct {
		w
		http.Hijacker
		io.ReaderFrom
	}
	type hijackFlushes struct {
		w
		http.Flusher
		http.Hijacker
	}
	type everything struct {
		w
		full
		http.Pusher
	}
	type http1 struct {
		w
		full
	}
	for name, inner := range map[string]http.ResponseWriter{
		"plain": base, "recorder": httptest.NewRecorder(), "flusher": flushes{w: base}, "pusher": pushes{w: base},
		"hijacker and reader": hijackReads{w: base}, "hijacker and flusher": hijackFlushes{w: base},
		"chi's, HTTP/1.1": middleware.NewWrapResponseWriter(http1{w: base}, 1), "chi's, HTTP/2": middleware.NewWrapResponseWriter(everything{w: base}, 2),
		"chi's compressor": compressing(everything{w: base}), "everything": everything{w: base}, "http1": http1{w: base},
	} {
		var got []string
		h := httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			got = interfaces(rw)
			for range 2 { // there may be a writer between that sees what http.ResponseController does
				if u, ok := rw.(interface{ Unwrap() http.ResponseWriter }); ok && rw != inner {
					rw = u.Unwrap()
				}
			}
			if rw != inner {
				t.Errorf("%s: Unwrap does not lead to the inner writer", name)
			}
		}))
		h.ServeHTTP(inner, httptest.NewRequest("GET", "/", nil))
		want := interfaces(inner)
		sort.Strings(want)
		sort.Strings(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// compressing returns what middleware.Compress gives its handlers to write to.
func compressing(inner http.ResponseWriter) (w http.ResponseWriter) {
	middleware.Compress(5)(http.HandlerFunc(func(given http.ResponseWriter, r *http.Request) { w = given })).
		ServeHTTP(inner, httptest.NewRequest("GET", "/", nil))
	return w
}

type full struct{}

func (full) Flush()                                       {}
func (full) FlushError() error                            { return nil }
func (full) CloseNotify() <-chan bool                     { return nil }
func (full) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }
func (full) ReadFrom(r io.Reader) (int64, error)          { return 0, nil }
func (full) SetReadDeadline(time.Time) error              { return nil }
func (full) SetWriteDeadline(time.Time) error             { return nil }
func (full) EnableFullDuplex() error                      { return nil }
func (full) WriteString(string) (int, error)              { return 0, nil }

// TestGoexitEndsTheSpan: a handler may end its goroutine, as t.FailNow does.
func TestGoexitEndsTheSpan(t *testing.T) {
	tracer := spantest.New(t)
	h := httpmw.Middleware(tracer)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() }))
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	<-done
	wantTags(t, one(t, tracer), map[string]any{"error": true, "error.type": "goexit", "http.status_code": nil})
}

// TestContext: the handler's context ends, and knows, what the server's does.
func TestContext(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
	h := httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		below, stop := context.WithTimeout(r.Context(), time.Hour)
		defer stop()
		if below.Value(key{}) != "v" || below.Err() != nil {
			t.Error("value or state of the server's context lost")
		}
		cancel()
		<-below.Done()
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
}

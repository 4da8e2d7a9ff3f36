package httpmw_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"

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

	srv.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute // so that bodies wait for 100 Continue
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

// TestHandlersAndClientsSeeNoDifference runs handlers bare and traced: whatever differs is a defect.
func TestHandlersAndClientsSeeNoDifference(t *testing.T) {
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

// TestTransparentWithoutSpans: requests that are only observed are served as bare, too.
func TestTransparentWithoutSpans(t *testing.T) {
	tracer, w := spantest.New(t), &watcher{}
	none := httpmw.WithFilter(func(*http.Request) bool { return false })
	for name, m := range map[string]mw{
		"no-op":  httpmw.Middleware(opentracing.NoopTracer{}, httpmw.WithObserver(w)),
		"filter": httpmw.Middleware(tracer, httpmw.WithObserver(w), none),
	} {
		t.Run(name, func(t *testing.T) {
			for _, rw := range rows {
				t.Run(rw.name, func(t *testing.T) {
					bare := observe(t, protocols["http/1.1"], rw, plain, bareClient)
					if d := cmp.Diff(bare, observe(t, protocols["http/1.1"], rw, m, bareClient)); d != "" {
						t.Errorf("%s: bare and observed differ:\n%s", rw.name, d)
					}
				})
			}
		})
	}
	if w.started != 2*len(rows) || len(w.ended) != 2*len(rows) || len(tracer.Finished()) != 0 {
		t.Errorf("%d started, %d ended of %d requests", w.started, len(w.ended), 2*len(rows))
	}
}

func TestTwoMiddlewaresMakeNoDifference(t *testing.T) {
	tracer := spantest.New(t)
	for _, rw := range rows {
		t.Run(rw.name, func(t *testing.T) {
			mw, other := httpmw.Middleware(tracer), httpmw.Middleware(nil)
			bare := observe(t, protocols["http/1.1"], rw, plain, bareClient)
			traced := observe(t, protocols["http/1.1"], rw, func(h http.Handler) http.Handler { return mw(other(mw(h))) }, bareClient)
			if d := cmp.Diff(bare, traced); d != "" {
				t.Errorf("bare and traced differ:\n%s", d)
			}
		})
	}
	if got := len(tracer.Finished()); got != len(rows) {
		t.Errorf("%d spans of %d requests", got, len(rows))
	}
}

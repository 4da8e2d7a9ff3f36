package httpmw_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

func TestUnannouncedRequestTrailers(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"bare": func(h http.Handler) http.Handler { return h }, "traced": httpmw.Middleware(spantest.New(t)),
	} {
		t.Run(name, func(t *testing.T) {
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
				t.Errorf("trailer %q, want 7", got)
			}
		})
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
		t.Run(name, func(t *testing.T) {
			r := chi.NewRouter()
			r.Post("/a", func(w http.ResponseWriter, r *http.Request) {
				r.ParseForm()
				r.Method, r.Host, r.RemoteAddr = "PUT", "b.example", "6.6.6.6"
			})
			in := request("POST", "/a")
			wrap(r).ServeHTTP(httptest.NewRecorder(), in)
			if in.Method != "POST" || in.Host != "example.com" || in.Pattern != "" || in.Form != nil || in.RemoteAddr != "192.0.2.1:1234" {
				t.Errorf("%s %s %q %v %s", in.Method, in.Host, in.Pattern, in.Form, in.RemoteAddr)
			}
		})
	}
}

// TestChangedRequestsAreDescribedAsTheyCame, also if they are described only at the end.
func TestChangedRequestsAreDescribedAsTheyCame(t *testing.T) {
	for _, sampler := range []jaeger.Sampler{always, never} {
		t.Run(fmt.Sprint(sampler), func(t *testing.T) {
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
		})
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

// The handler's context ends, and knows, what the server's does.
func TestTheHandlersContextIsThatOfTheServer(t *testing.T) {
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

package httpmw_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

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

func TestResponseSizeIsWhatWasWritten(t *testing.T) {
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
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			srv := serve(t, httpmw.Middleware(tracer)(tt.h))
			get(t, srv.Client(), srv.URL)
			if got := one(t, tracer).Tag("http.response_size"); got != tt.want {
				t.Errorf("http.response_size = %v, want %d", got, tt.want)
			}
		})
	}
	span := served(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "abc") }, request("HEAD", "/"))
	wantTags(t, span, map[string]any{"http.response_size": nil})
}

// TestFirstByteOfFlushedResponses: flushed responses have the time of their first byte, and no others do. A flush before
// anything is written sends the header, which is the first byte.
func TestFirstByteOfFlushedResponses(t *testing.T) {
	flush := func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }
	write := func(w http.ResponseWriter) { io.WriteString(w, "hello") }
	for name, tt := range map[string]struct {
		after30ms, after1s func(http.ResponseWriter)
		want               map[string]any
	}{
		"flushed":            {write, flush, map[string]any{"http.first_byte_ms": 30.0, "http.streaming": true}},
		"flushed before all": {flush, write, map[string]any{"http.first_byte_ms": 30.0, "http.streaming": true}},
		"not flushed":        {write, write, map[string]any{"http.first_byte_ms": nil, "http.streaming": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wantTags(t, served(t, func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(30 * time.Millisecond)
					tt.after30ms(w)
					time.Sleep(time.Second)
					tt.after1s(w)
				}, request("GET", "/")), tt.want)
			})
		})
	}
}

func TestHijackedConnectionsAreMarked(t *testing.T) {
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

// The span has no status if a middleware further out answers when time is up, since the handler
// cannot know which.
func TestTimeoutsFurtherOutLeaveNoStatus(t *testing.T) {
	const limit = time.Millisecond
	for name, outer := range map[string]mw{
		"net/http": func(h http.Handler) http.Handler { return http.TimeoutHandler(h, limit, "late") },
		"chi":      middleware.Timeout(limit),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tracer := spantest.New(t)
				w := handle(outer(httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
				}))), "GET", "/")
				synctest.Wait() // the handler may return after the timeout was answered
				span := one(t, tracer)
				wantTags(t, span, map[string]any{"http.status_code": nil, "error": true, "error.type": "timeout"})
				if logs := errorLogs(span); w.Code < 500 || len(logs) != 1 {
					t.Errorf("status %d, logs %v", w.Code, logs)
				}
			})
		})
	}
}

func TestHandlersThatWriteAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracer := spantest.New(t)
		late := make(chan struct{})
		h := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-late
			io.WriteString(w, "too late")
		}))
		w := handle(http.TimeoutHandler(h, time.Millisecond, "late"), "GET", "/")
		close(late)
		synctest.Wait()
		if w.Code != http.StatusServiceUnavailable {
			t.Fatalf("status %d", w.Code)
		}
		wantTags(t, one(t, tracer), map[string]any{"http.status_code": nil, "error": true, "error.type": "timeout"})
	})
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

// TestErrorsThatHandlersMark: the engine keeps both of two tags with one key.
func TestErrorsThatHandlersMark(t *testing.T) {
	for _, status := range []int{200, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
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
		})
	}
}

func TestOutcomeHooksSeeTheResponse(t *testing.T) {
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
	span = servedDespitePanics(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"),
		httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { panic("x") }))
	wantTags(t, span, map[string]any{"http.status_code": uint16(200), "spanloom.hook_panics": 1})
}

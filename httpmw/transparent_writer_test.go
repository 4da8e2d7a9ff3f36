package httpmw_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"testing"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

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
	_, ok = w.(http.CloseNotifier) //lint:ignore SA1019 handlers may still use it
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

// writers of any set of optional interfaces keep it.
// The writers of TestOddWritersKeepTheirInterfaces have what http.ResponseWriter has, and what their names say.
type (
	bareWriter struct{ http.ResponseWriter }
	flushes    struct {
		bareWriter
		http.Flusher
	}
	pushes struct {
		bareWriter
		http.Pusher
	}
	hijackReads struct {
		bareWriter
		http.Hijacker
		io.ReaderFrom
	}
	hijackFlushes struct {
		bareWriter
		http.Flusher
		http.Hijacker
	}
	everything struct {
		bareWriter
		full
		http.Pusher
	}
	http1 struct {
		bareWriter
		full
	}
)

func oddWriters() map[string]http.ResponseWriter {
	base := bareWriter{httptest.NewRecorder()}
	return map[string]http.ResponseWriter{
		"plain": base, "recorder": httptest.NewRecorder(), "flusher": flushes{bareWriter: base}, "pusher": pushes{bareWriter: base},
		"hijacker and reader": hijackReads{bareWriter: base}, "hijacker and flusher": hijackFlushes{bareWriter: base},
		"chi's, HTTP/1.1": middleware.NewWrapResponseWriter(http1{bareWriter: base}, 1), "chi's, HTTP/2": middleware.NewWrapResponseWriter(everything{bareWriter: base}, 2),
		"chi's compressor": compressing(everything{bareWriter: base}), "everything": everything{bareWriter: base}, "http1": http1{bareWriter: base},
	}
}

// innermost follows Unwrap to the writer that the middleware was given, past one between that sees what
// [http.ResponseController] does.
func innermost(rw, given http.ResponseWriter) http.ResponseWriter {
	for range 2 {
		if u, ok := rw.(interface{ Unwrap() http.ResponseWriter }); ok && rw != given {
			rw = u.Unwrap()
		}
	}
	return rw
}

func TestOddWritersKeepTheirInterfaces(t *testing.T) {
	for name, inner := range oddWriters() {
		t.Run(name, func(t *testing.T) {
			var got []string
			h := httpmw.Middleware(spantest.New(t))(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				got = interfaces(rw)
				if innermost(rw, inner) != inner {
					t.Error("Unwrap does not lead to the inner writer")
				}
			}))
			h.ServeHTTP(inner, httptest.NewRequest("GET", "/", nil))
			want := interfaces(inner)
			sort.Strings(want)
			sort.Strings(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s", d)
			}
		})
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

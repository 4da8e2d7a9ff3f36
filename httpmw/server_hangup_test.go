package httpmw_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// TestClientsThatLeaveFirst are seen with every status and every way of writing.
func TestClientsThatLeaveFirst(t *testing.T) {
	ways := map[string]func(w http.ResponseWriter){
		"Write":       func(w http.ResponseWriter) { w.Write([]byte("late")) },
		"WriteString": func(w http.ResponseWriter) { io.WriteString(w, "late") },
		"ReadFrom":    func(w http.ResponseWriter) { io.Copy(w, struct{ io.Reader }{strings.NewReader("late")}) },
		"flush":       func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"FlushError":  func(w http.ResponseWriter) { http.NewResponseController(w).Flush() },
		"declared":    func(w http.ResponseWriter) { w.Header().Set("Content-Length", "4"); w.Write([]byte("late")) },
		"nothing":     func(http.ResponseWriter) {},
	}
	for way, write := range ways {
		for _, status := range []int{0, 200, 204, 404, 500} {
			t.Run(fmt.Sprint(way, " ", status), func(t *testing.T) {
				var got httpmw.Outcome
				span := left(t, func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					if status > 0 {
						w.WriteHeader(status)
					}
					write(w)
				}, &got)
				if !got.Aborted || got.IsError || got.Err == nil || status > 0 && got.Status != status {
					t.Errorf("outcome %+v", got)
				}
				wantTags(t, span, map[string]any{"http.aborted": true, "error": nil})
			})
		}
	}
}

// left serves one request, over a network, of a client that leaves as soon as the handler runs.
func left(t *testing.T, h http.HandlerFunc, got *httpmw.Outcome) *mocktracer.MockSpan {
	t.Helper()
	tracer := spantest.New(t)
	entered := make(chan struct{})
	srv := serve(t, httpmw.Middleware(tracer, recordOutcome(got))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		h(w, r)
	})))
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-entered
	conn.Close()
	srv.Close()
	return one(t, tracer)
}

func recordOutcome(to *httpmw.Outcome) httpmw.Option {
	return httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) { *to = *o })
}

// TestClientsThatLeaveInTheMiddle of a file or of an upstream's answer.
func TestClientsThatLeaveInTheMiddle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 256<<20); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"ServeFile": func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) },
		"io.Copy": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, io.LimitReader(struct{ io.Reader }{zeros{}}, 256<<20))
		},
		"Write": func(w http.ResponseWriter, r *http.Request) {
			io.Copy(struct{ io.Writer }{w}, io.LimitReader(zeros{}, 256<<20))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got httpmw.Outcome
			tracer := spantest.New(t)
			srv := serve(t, httpmw.Middleware(tracer, recordOutcome(&got))(h))
			resp, err := srv.Client().Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			io.CopyN(io.Discard, resp.Body, 1<<20)
			resp.Body.Close()
			srv.Close()
			if !got.Aborted || got.IsError || got.Status != 200 || got.Err == nil || got.BytesOut >= 256<<20 {
				t.Errorf("outcome %+v", got)
			}
			wantTags(t, one(t, tracer), map[string]any{"http.aborted": true, "http.status_code": uint16(200)})
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestClientsThatCloseWhenTheyHaveAll have not left early.
func TestClientsThatCloseWhenTheyHaveAll(t *testing.T) {
	const size = 1 << 20
	var got httpmw.Outcome
	tracer := spantest.New(t)
	srv := serve(t, httpmw.Middleware(tracer, recordOutcome(&got))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		w.Write(make([]byte, size))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})))
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Fatal(n, err)
	}
	conn.Close()
	srv.Close()
	if got.Aborted || got.IsError || got.Err != nil || got.BytesOut != size {
		t.Errorf("outcome %+v", got)
	}
}

// TestShutdownsAreNoHangUps: a context with a cause of its own was not canceled by a client that left.
func TestShutdownsAreNoHangUps(t *testing.T) {
	ctx, shutDown := context.WithCancelCause(t.Context())
	tracer := spantest.New(t)
	srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shutDown(errors.New("shutting down"))
		<-r.Context().Done()
		w.WriteHeader(http.StatusInternalServerError)
	})), func(s *httptest.Server) { s.Config.BaseContext = func(net.Listener) context.Context { return ctx } })
	if resp, _ := get(t, srv.Client(), srv.URL); resp.StatusCode != 500 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	srv.Close()
	wantTags(t, one(t, tracer), map[string]any{
		"http.status_code": uint16(500), "error": true, "error.type": "500", "http.aborted": nil, "otel.status_code": nil,
	})
}

// TestClientsThatLeaveOverHTTP2 reset their stream and keep the connection.
func TestClientsThatLeaveOverHTTP2(t *testing.T) {
	for _, proto := range []string{"h2", "h2c"} {
		t.Run(proto, func(t *testing.T) {
			tracer, got := spantest.New(t), make(chan httpmw.Outcome, 1)
			entered := make(chan struct{})
			hook := httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) { got <- *o })
			srv := serve(t, httpmw.Middleware(tracer, hook)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				<-r.Context().Done()
				w.WriteHeader(http.StatusInternalServerError)
				w.Write(make([]byte, 1<<16))
			})), protocols[proto])
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-entered
				cancel()
			}()
			r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if _, err := srv.Client().Do(r); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			if o := <-got; !o.Aborted || o.IsError || o.Status != 500 {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

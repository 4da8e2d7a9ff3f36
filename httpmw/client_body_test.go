package httpmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testnet"
	"github.com/spanloom/spanloom/spantest"
)

// TestClientSpanEnds once, on every way out.
func TestClientSpanEnds(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		base roundTripper
		use  func(*http.Response)
		want map[string]any
	}{
		{"read to the end", reply(200, text("hello")), func(r *http.Response) { io.ReadAll(r.Body) },
			map[string]any{"http.response_size": int64(5), "error": nil}},
		{"read and closed twice", reply(200, text("hello")), func(r *http.Response) { io.ReadAll(r.Body); r.Body.Close(); r.Body.Close() },
			map[string]any{"http.response_size": int64(5), "error": nil}},
		{"closed unread", reply(200, text("hello")), func(r *http.Response) { r.Body.Close(); r.Body.Close() },
			map[string]any{"http.response_size": int64(0), "error": nil}},
		{"read error", reply(200, io.NopCloser(io.MultiReader(strings.NewReader("he"), errReader{boom}))), func(r *http.Response) { io.ReadAll(r.Body); r.Body.Close() },
			map[string]any{"http.response_size": int64(2), "error": true, "http.body.incomplete": true, "otel.status_description": "boom"}},
		{"cut off", reply(200, io.NopCloser(errReader{io.ErrUnexpectedEOF})), func(r *http.Response) { io.ReadAll(r.Body) },
			map[string]any{"error": true, "error.type": "*errors.errorString"}},
		{"204", reply(204, text("")), nil, map[string]any{"http.status_code": uint16(204), "error": nil}},
		{"304", reply(304, text("")), nil, map[string]any{"http.status_code": uint16(304), "error": nil}},
		{"no body", reply(200, http.NoBody), nil, map[string]any{"http.status_code": uint16(200), "error": nil}},
		{"nil body", reply(200, nil), nil, map[string]any{"http.status_code": uint16(200)}},
		{"404", reply(404, http.NoBody), nil, map[string]any{"http.status_code": uint16(404), "error": true, "error.type": "404"}},
		{"503", reply(503, http.NoBody), nil, map[string]any{"error": true, "error.type": "503"}},
		{"error", func(*http.Request) (*http.Response, error) { return nil, boom }, nil,
			map[string]any{"http.status_code": nil, "error": true, "error.type": "*errors.errorString", "otel.status_description": "boom"}},
		{"timeout", func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }, nil,
			map[string]any{"error": true, "error.type": "timeout"}},
		{"canceled", func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("x: %w", context.Canceled) }, nil,
			map[string]any{"error": nil, "error.type": "context_canceled"}},
		{"panic", func(*http.Request) (*http.Response, error) { panic(boom) }, nil,
			map[string]any{"error": true, "error.type": "panic"}},
		{"nothing at all", func(*http.Request) (*http.Response, error) { return nil, nil }, nil, map[string]any{"http.status_code": nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer := spantest.New(t)
			func() {
				defer func() {
					if v := recover(); v != nil && v != boom {
						t.Errorf("panic %v", v)
					}
				}()
				resp, err := httpmw.Transport(tracer, tt.base).RoundTrip(newGet(t.Context(), "http://a.example/"))
				want, wantErr := tt.base(newGet(t.Context(), "http://a.example/"))
				if fmt.Sprint(err) != fmt.Sprint(wantErr) || (resp == nil) != (want == nil) {
					t.Errorf("%v, %v; want %v, %v", resp, err, want, wantErr)
				}
				if tt.use != nil {
					tt.use(resp)
				}
			}()
			span := one(t, tracer)
			wantTags(t, span, tt.want)
			if logs := errorLogs(span); (len(logs) == 1) != (span.Tag("error") == true) {
				t.Errorf("error %v, logs %v", span.Tag("error"), logs)
			}
		})
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// hangingBody is one whose Read and WriteTo block until Close, and then fail. Close waits until the reader has seen that.
type hangingBody struct{ reading, closed, seen chan struct{} }

func (b hangingBody) Read([]byte) (int, error) {
	close(b.reading)
	<-b.closed
	return 0, errors.New("read on a closed body")
}

func (b hangingBody) WriteTo(io.Writer) (int64, error) {
	n, err := b.Read(nil)
	return int64(n), err
}

func (b hangingBody) Close() error {
	close(b.closed)
	<-b.seen
	return nil
}

// TestBodyClosedWhileRead: a caller that has seen enough closes the body in another goroutine, which is no failure.
func TestBodyClosedWhileRead(t *testing.T) {
	for name, read := range map[string]func(io.Reader) error{
		"Read":    func(r io.Reader) error { _, err := io.ReadAll(r); return err },
		"WriteTo": func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err },
	} {
		for _, opts := range [][]httpmw.ClientOption{nil, {httpmw.WithUnclosedBody(func(*http.Request, string) {})}} {
			t.Run(fmt.Sprint(name, len(opts)), func(t *testing.T) {
				tracer, b := spantest.New(t), hangingBody{make(chan struct{}), make(chan struct{}), make(chan struct{})}
				resp, err := httpmw.Transport(tracer, reply(200, b), opts...).RoundTrip(newGet(t.Context(), "http://a.example/"))
				if err != nil {
					t.Fatal(err)
				}
				failed := make(chan error)
				go func() {
					err := read(resp.Body)
					close(b.seen)
					failed <- err
				}()
				<-b.reading
				resp.Body.Close()
				if err := <-failed; err == nil || err.Error() != "read on a closed body" {
					t.Error(err)
				}
				wantTags(t, one(t, tracer), map[string]any{"error": nil, "error.type": nil, "http.body.incomplete": nil})
			})
		}
	}
}

// TestBodyNeverClosed: the span ends with the context, at the time of the last read.
func TestBodyNeverClosed(t *testing.T) {
	for name, tt := range map[string]struct {
		cancel func(context.Context) (context.Context, context.CancelFunc)
		want   map[string]any
	}{
		"canceled": {func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithCancel(ctx) },
			map[string]any{"error": nil, "error.type": "context_canceled"}},
		"canceled with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(errors.New("enough")) }
		}, map[string]any{"error": nil, "error.type": "context_canceled"}},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now().Add(500*time.Millisecond))
		}, map[string]any{"error": true, "error.type": "timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			ctx, cancel := tt.cancel(t.Context())
			defer cancel()
			resp, err := httpmw.Transport(tracer, reply(200, text("hello"))).RoundTrip(newGet(ctx, "http://a.example/"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Read(make([]byte, 2))
			read := time.Now()
			if name == "deadline" {
				<-ctx.Done()
			}
			cancel()
			span := one(t, tracer)
			tt.want["http.body.incomplete"], tt.want["http.response_size"] = true, int64(2)
			wantTags(t, span, tt.want)
			if span.FinishTime.After(read) {
				t.Error("the span ends after the last read")
			}
			resp.Body.Close()
		})
	}
}

func TestCancelAndCloseGiveTheSameOutcome(t *testing.T) {
	for range 50 {
		tracer := spantest.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		resp, _ := httpmw.Transport(tracer, reply(200, text("hello"))).RoundTrip(newGet(ctx, "http://a.example/"))
		cancel()
		resp.Body.Close()
		wantTags(t, one(t, tracer), map[string]any{"http.body.incomplete": true, "error": nil, "error.type": "context_canceled"})
	}
}

func TestUpgradeKeepsTheConnection(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, _ := http.NewResponseController(w).Hijack()
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		line, _ := rw.ReadString('\n')
		rw.WriteString(line)
		rw.Flush()
	}))
	r := newGet(t.Context(), srv.URL)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := httpmw.Client(tracer, srv.Client()).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	wantTags(t, one(t, tracer), map[string]any{"http.status_code": uint16(101), "error": nil})
	rwc := resp.Body.(io.ReadWriteCloser)
	defer rwc.Close()
	fmt.Fprint(rwc, "ping\n")
	if got, _ := io.ReadAll(rwc); string(got) != "ping\n" {
		t.Errorf("echo said %q", got)
	}
}

func TestBodiesKeepTheirInterfaces(t *testing.T) {
	checkBodies(t)
	checkBodies(t, httpmw.WithUnclosedBody(func(*http.Request, string) { t.Error("a body was lost") }))
}

// TestFirstByteOfStreams: where the length is unknown, and only there, a tag says how long the header took.
func TestFirstByteOfStreams(t *testing.T) {
	closing := func(r *http.Response) { r.Body.Close() }
	reading := func(r *http.Response) { io.ReadAll(r.Body); r.Body.Close() }
	for name, tt := range map[string]struct {
		method string
		length int64
		body   io.ReadCloser
		err    error
		use    func(*http.Response)
		want   any
	}{
		"read":         {"GET", -1, text("abc"), nil, reading, 30.0},
		"closed":       {"GET", -1, text("abc"), nil, closing, 30.0},
		"abandoned":    {"GET", -1, text("abc"), nil, func(*http.Response) {}, 30.0},
		"failed":       {"GET", -1, io.NopCloser(errReader{io.ErrUnexpectedEOF}), nil, reading, 30.0},
		"known length": {"GET", 3, text("abc"), nil, reading, nil},
		"empty":        {"GET", 0, http.NoBody, nil, closing, nil},
		"HEAD":         {"HEAD", -1, http.NoBody, nil, closing, nil},
		"error":        {"GET", -1, nil, io.ErrUnexpectedEOF, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tracer := spantest.New(t)
				rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
					time.Sleep(30 * time.Millisecond)
					return &http.Response{StatusCode: 200, Header: http.Header{}, Body: tt.body, ContentLength: tt.length, Request: r}, tt.err
				}))
				ctx, cancel := context.WithCancel(t.Context())
				r := newGet(ctx, "http://a.example/")
				r.Method = tt.method
				resp, _ := rt.RoundTrip(r)
				time.Sleep(time.Second)
				if tt.use != nil {
					tt.use(resp)
				}
				cancel()
				if got := one(t, tracer).Tag("http.first_byte_ms"); got != tt.want {
					t.Errorf("first byte after %v ms, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestTimeoutsOfClients and refused connections are errors.
func TestTimeoutsOfClients(t *testing.T) {
	tracer := spantest.New(t)
	release := make(chan struct{})
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release }))
	defer close(release)
	client := httpmw.Client(tracer, srv.Client())
	client.Timeout = 30 * time.Millisecond
	if _, err := client.Get(srv.URL); err == nil {
		t.Fatal("no timeout")
	}
	wantTags(t, one(t, tracer), map[string]any{"error": true, "error.type": "timeout"})

	refused := spantest.New(t)
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	httpmw.Client(refused, &http.Client{Transport: tr}).Get("http://" + testnet.Refusing(t))
	wantTags(t, one(t, refused), map[string]any{"error": true, "error.type": "*net.OpError", "http.status_code": nil})
}

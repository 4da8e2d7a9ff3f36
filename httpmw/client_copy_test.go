package httpmw_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// copied is a body with a WriteTo of its own, which calls write.
type copied struct {
	io.ReadCloser
	write func(io.Writer) (int64, error)
}

func (c copied) WriteTo(w io.Writer) (int64, error) { return c.write(w) }

var (
	errSource = errors.New("the source broke")
	errSink   = errors.New("the sink broke")
)

type brokenSink struct{}

func (brokenSink) Write([]byte) (int, error) { return 0, errSink }

// TestBodiesThatCopyThemselves are watched: what they write is counted, and an error of theirs is not taken for one of
// the caller's writer, nor the other way round.
func TestBodiesThatCopyThemselves(t *testing.T) {
	hello := func(w io.Writer) (int64, error) {
		n, err := io.WriteString(w, "hello")
		return int64(n), err
	}
	breaks := func(w io.Writer) (int64, error) {
		n, err := w.Write([]byte("he"))
		return int64(n), errors.Join(err, errSource)
	}
	byReader := func(r io.Reader) func(io.Writer) (int64, error) {
		return func(w io.Writer) (int64, error) { return io.Copy(w, r) }
	}
	broken := func() io.Reader { return io.MultiReader(strings.NewReader("he"), errReader{errSource}) }
	failed := map[string]any{"error": true, "http.response_size": int64(2), "http.body.incomplete": true}
	for name, tt := range map[string]struct {
		write func(io.Writer) (int64, error)
		to    io.Writer
		err   error
		want  map[string]any
	}{
		"all":                      {hello, io.Discard, nil, map[string]any{"error": nil, "http.response_size": int64(5)}},
		"to a buffer":              {byReader(strings.NewReader("hello")), new(bytes.Buffer), nil, map[string]any{"http.response_size": int64(5)}},
		"to a response":            {hello, httptest.NewRecorder(), nil, map[string]any{"http.response_size": int64(5)}},
		"source breaks":            {breaks, io.Discard, errSource, failed},
		"source breaks, buffer":    {byReader(broken()), new(bytes.Buffer), errSource, failed},
		"source breaks, buffered":  {byReader(broken()), bufio.NewWriter(io.Discard), errSource, failed},
		"source breaks, response":  {breaks, httptest.NewRecorder(), errSource, failed},
		"sink breaks":              {hello, brokenSink{}, errSink, map[string]any{"error": nil, "http.response_size": int64(0)}},
		"sink breaks, then source": {breaks, brokenSink{}, errSource, map[string]any{"error": nil}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			resp, err := httpmw.Transport(tracer, reply(200, copied{text(""), tt.write})).RoundTrip(newGet(t.Context(), "http://a.example/"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(tt.to, resp.Body); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			resp.Body.Close()
			wantTags(t, one(t, tracer), tt.want)
		})
	}
}

// TestWritersKeepTheirInterfaces in the hands of a body's WriteTo.
func TestWritersKeepTheirInterfaces(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, w := range map[string]io.Writer{"response": httptest.NewRecorder(), "file": file, "plain": brokenSink{}} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			var flushes, reads bool
			body := copied{text(""), func(w io.Writer) (int64, error) {
				_, flushes = w.(http.Flusher)
				_, reads = w.(io.ReaderFrom)
				return 0, nil
			}}
			resp, _ := httpmw.Transport(tracer, reply(200, body)).RoundTrip(newGet(t.Context(), "http://a.example/"))
			resp.Body.(io.WriterTo).WriteTo(w)
			_, wantFlushes := w.(http.Flusher)
			_, wantReads := w.(io.ReaderFrom)
			if flushes != wantFlushes || reads != wantReads {
				t.Errorf("%s: Flusher %v, ReaderFrom %v; want %v, %v", name, flushes, reads, wantFlushes, wantReads)
			}
		})
	}
}

// TestBodiesThatPanic end their span, and the panic reaches the caller.
func TestBodiesThatPanic(t *testing.T) {
	for name, tt := range map[string]struct {
		body io.ReadCloser
		use  func(io.ReadCloser)
	}{
		"read":    {io.NopCloser(funcReader(func() { panic("boom") })), func(b io.ReadCloser) { b.Read(nil) }},
		"goexit":  {io.NopCloser(funcReader(runtime.Goexit)), func(b io.ReadCloser) { b.Read(nil) }},
		"writeTo": {copied{text(""), func(io.Writer) (int64, error) { panic("boom") }}, func(b io.ReadCloser) { b.(io.WriterTo).WriteTo(nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			resp, _ := httpmw.Transport(tracer, reply(200, tt.body)).RoundTrip(newGet(t.Context(), "http://a.example/"))
			done := make(chan any)
			go func() {
				defer close(done)
				defer func() { done <- recover() }()
				tt.use(resp.Body)
			}()
			value := <-done
			<-done
			span := one(t, tracer)
			if wantTags(t, span, map[string]any{"error": true, "http.body.incomplete": true}); name != "goexit" && value != "boom" {
				t.Errorf("%s: panic %v", name, value)
			}
		})
	}
}

type funcReader func()

func (f funcReader) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

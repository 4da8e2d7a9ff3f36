package httpmw_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// collected runs the garbage collector until cond holds.
func collected(t *testing.T, cond func() bool) {
	t.Helper()
	eventually(t, func() bool { runtime.GC(); return cond() })
}

// Reports name these, who drop their response.

func dropsOfClient(client *http.Client, r *http.Request)       { client.Do(r) }
func dropsOfGet(client *http.Client, r *http.Request)          { client.Get(r.URL.String()) }
func dropsOfTransport(client *http.Client, r *http.Request)    { client.Transport.RoundTrip(r) }
func dropsHalfRead(client *http.Client, r *http.Request)       { read(client, r, 2) }
func dropsInClosure(client *http.Client, r *http.Request)      { func() { client.Do(r) }() }
func dropsBelowTransport(client *http.Client, r *http.Request) { dropsOfClient(above(client), r) }
func dropsAfterRedirect(client *http.Client, r *http.Request)  { client.Do(redirected(r)) }
func dropsOfGoStatement(client *http.Client, r *http.Request)  { go client.Do(r) }

// above puts a transport between client and its own.
func above(client *http.Client) *http.Client {
	c := *client
	c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) { return client.Transport.RoundTrip(r) })
	return &c
}

func redirected(r *http.Request) *http.Request {
	r.URL.Path = "/redirect"
	return r
}

func read(client *http.Client, r *http.Request, n int) {
	if resp, err := client.Do(r); err == nil {
		io.ReadFull(resp.Body, make([]byte, n))
	}
}

// streams is a base transport whose responses have a body that is hard to end; for /redirect it redirects to them.
func streams(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/redirect" {
		return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"/"}}, Body: http.NoBody, Request: r}, nil
	}
	return reply(200, text("hello"))(r)
}

// Unclosed bodies are reported once, with who sent the request, and their spans end.
func TestUnclosedBodiesAreReportedOnce(t *testing.T) {
	const own = "github.com/spanloom/spanloom/httpmw_test."
	once := func(tracer opentracing.Tracer, rt http.RoundTripper, opt httpmw.ClientOption) http.RoundTripper {
		return httpmw.Transport(tracer, rt, opt)
	}
	twice := func(tracer opentracing.Tracer, rt http.RoundTripper, opt httpmw.ClientOption) http.RoundTripper {
		return httpmw.Transport(tracer, httpmw.Transport(tracer, rt, opt), opt)
	}
	for name, tt := range map[string]struct {
		drop func(*http.Client, *http.Request)
		wrap func(opentracing.Tracer, http.RoundTripper, httpmw.ClientOption) http.RoundTripper
		want string // "function file"
	}{
		"client":            {dropsOfClient, once, own + "dropsOfClient client_leak_test.go"},
		"get":               {dropsOfGet, once, own + "dropsOfGet client_leak_test.go"},
		"transport":         {dropsOfTransport, once, own + "dropsOfTransport client_leak_test.go"},
		"half read":         {dropsHalfRead, once, own + "read client_leak_test.go"},
		"closure":           {dropsInClosure, once, own + "dropsInClosure.func1 client_leak_test.go"},
		"transport between": {dropsBelowTransport, once, own + "dropsOfClient client_leak_test.go"},
		"after a redirect":  {dropsAfterRedirect, once, own + "dropsAfterRedirect client_leak_test.go"},
		"two transports":    {dropsOfClient, twice, own + "dropsOfClient client_leak_test.go"},
		"go statement":      {dropsOfGoStatement, once, "net/http.(*Client).Do client.go"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			reports := make(chan string, 10)
			leaks := httpmw.WithUnclosedBody(func(r *http.Request, caller string) { reports <- r.URL.Host + " " + caller })
			tt.drop(&http.Client{Transport: tt.wrap(tracer, roundTripper(streams), leaks)}, newGet(context.Background(), "http://a.example/"))
			collected(t, func() bool { return len(reports) > 0 })
			got := regexp.MustCompile(`^(\S+ \S+) .*/(\w+\.go):\d+$`).ReplaceAllString(<-reports, "$1 $2")
			if want := "a.example " + tt.want; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			spans := tracer.Finished()
			wantTags(t, spans[len(spans)-1], map[string]any{"http.body.incomplete": true, "error": nil, "http.status_code": uint16(200)})
			if runtime.GC(); len(reports) != 0 {
				t.Errorf("another report: %s", <-reports)
			}
		})
	}
}

// TestUnclosedBodyOnTheWire: no connection keeps its response's body from being found, and spans end at the last read.
func TestUnclosedBodyOnTheWire(t *testing.T) {
	for proto, setup := range protocols {
		t.Run(proto, func(t *testing.T) {
			tracer := spantest.New(t)
			srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, "hello")
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}), setup)
			reported := make(chan string, 1)
			client := httpmw.Client(tracer, srv.Client(), httpmw.WithUnclosedBody(func(_ *http.Request, caller string) { reported <- caller }))
			ctx, cancel := context.WithCancel(t.Context())
			read(client, newGet(ctx, srv.URL), 5)
			last := time.Now()
			collected(t, func() bool { return len(reported) == 1 })
			span := one(t, tracer)
			if span.FinishTime.After(last) {
				t.Error("the span ends after the last read")
			}
			wantTags(t, span, map[string]any{"http.body.incomplete": true, "http.response_size": int64(5), "error": nil})
			if caller := <-reported; !strings.HasPrefix(caller, "github.com/spanloom/spanloom/httpmw_test.read ") {
				t.Errorf("caller %q", caller)
			}
			cancel()
		})
	}
}

// TestClosedBodiesAreNotReported, nor any other that needs no closing.
func TestClosedBodiesAreNotReported(t *testing.T) {
	tracer := spantest.New(t)
	reports := make(chan string, 20)
	send := func(base roundTripper, use func(io.ReadCloser)) {
		rt := httpmw.Transport(tracer, base, httpmw.WithUnclosedBody(func(r *http.Request, caller string) { reports <- caller }))
		if resp, err := rt.RoundTrip(newGet(context.Background(), "http://a.example/")); err == nil {
			use(resp.Body)
		}
	}
	nothing := func(io.ReadCloser) {}
	untraced := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithFilter(func(*http.Request) bool { return false }),
		httpmw.WithUnclosedBody(func(r *http.Request, caller string) { reports <- caller }))
	untraced.RoundTrip(newGet(context.Background(), "http://a.example/"))
	send(reply(200, text("hello")), func(b io.ReadCloser) { b.Close() })
	send(reply(200, text("hello")), func(b io.ReadCloser) { io.ReadAll(b) })
	send(reply(200, io.NopCloser(strings.NewReader("hello"))), func(b io.ReadCloser) { b.(io.WriterTo).WriteTo(io.Discard) })
	send(reply(200, io.NopCloser(errReader{io.ErrUnexpectedEOF})), func(b io.ReadCloser) { b.Read(make([]byte, 1)) })
	send(reply(204, text("")), nothing)
	send(reply(101, text("")), nothing)
	send(reply(200, http.NoBody), nothing)
	send(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, nothing)
	send(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewBufferString("hello")), ContentLength: 5, Request: r}, nil
	}, func(b io.ReadCloser) { io.ReadFull(b, make([]byte, 5)) })
	func() { send(reply(200, text("hello")), nothing) }() // the one
	collected(t, func() bool { return len(reports) > 0 })
	runtime.GC()
	spans := tracer.Finished() // the last of them ended when it was found complete
	if len(spans) != 10 || len(reports) != 1 {
		t.Errorf("%d spans and %d reports, want 10 and one", len(spans), len(reports))
	}
	for range len(reports) {
		if caller := <-reports; !strings.Contains(caller, "TestClosedBodiesAreNotReported") {
			t.Errorf("caller %q", caller)
		}
	}
}

// TestUnclosedBodyAfterItsContext: the leak is reported though the span has ended.
func TestUnclosedBodyAfterItsContext(t *testing.T) {
	for name, timeout := range map[string]time.Duration{"context_canceled": 0, "timeout": 500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			var reports atomic.Int32
			client := httpmw.Client(tracer, &http.Client{Transport: reply(200, text("hello")), Timeout: timeout},
				httpmw.WithUnclosedBody(func(*http.Request, string) { reports.Add(1) }))
			ctx, cancel := context.WithCancel(t.Context())
			dropsOfClient(client, newGet(ctx, "http://a.example/"))
			if timeout == 0 {
				cancel()
			}
			wantTags(t, one(t, tracer), map[string]any{"error.type": name, "http.body.incomplete": true})
			collected(t, func() bool { return reports.Load() == 1 })
			cancel()
		})
	}
}

// TestUnclosedBodyEndsWithItsLastRead, also where no context could end it.
func TestUnclosedBodyEndsWithItsLastRead(t *testing.T) {
	tracer := spantest.New(t)
	var reports atomic.Int32
	rt := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithUnclosedBody(func(*http.Request, string) { reports.Add(1) }))
	resp, _ := rt.RoundTrip(newGet(context.Background(), "http://a.example/"))
	before := time.Now()
	resp.Body.Read(make([]byte, 2))
	after := time.Now()
	collected(t, func() bool { return reports.Load() == 1 })
	if span := one(t, tracer); span.FinishTime.Before(before) || span.FinishTime.After(after) {
		t.Errorf("ended %v after the last read began", span.FinishTime.Sub(before))
	}
}

func TestUnclosedBodyOfUnsampled(t *testing.T) {
	tracer, reporter := newJaeger(t, never)
	var reports, ends atomic.Int32
	rt := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithUnclosedBody(func(*http.Request, string) { reports.Add(1) }),
		httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { ends.Add(1) }))
	rt.RoundTrip(newGet(context.Background(), "http://a.example/"))
	collected(t, func() bool { return reports.Load() == 1 && ends.Load() == 1 })
	if got := reporter.SpansSubmitted(); got != 0 {
		t.Errorf("%d spans were reported", got)
	}
}

// TestReportsThatMisbehave neither fail the program nor hold others up.
func TestReportsThatMisbehave(t *testing.T) {
	for name, report := range map[string]func(*http.Request, string){
		"panic":  func(*http.Request, string) { panic("report") },
		"goexit": func(*http.Request, string) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			rt := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithUnclosedBody(report), httpmw.WithUnclosedBody(nil))
			rt.RoundTrip(newGet(context.Background(), "http://a.example/"))
			runtime.GC()
			want := map[string]any{"http.body.incomplete": true, "spanloom.hook_panics": nil}
			if name == "panic" {
				want["spanloom.hook_panics"] = 1
			}
			wantTags(t, oneDespitePanics(t, tracer), want)
		})
	}

	tracer := spantest.New(t)
	first, release := make(chan struct{}), make(chan struct{})
	var reports atomic.Int32
	rt := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithUnclosedBody(func(*http.Request, string) {
		if reports.Add(1) == 1 {
			close(first)
			<-release
		}
	}))
	rt.RoundTrip(newGet(context.Background(), "http://a.example/"))
	collected(t, func() bool {
		select {
		case <-first:
			return true
		default:
			return false
		}
	})
	rt.RoundTrip(newGet(context.Background(), "http://a.example/"))
	collected(t, func() bool { return reports.Load() == 2 })
	close(release)
}

// TestTrailersOfWatchedBodies: a transport may replace the map of announced trailers when it has read them, even if the
// body turns out too short.
func TestTrailersOfWatchedBodies(t *testing.T) {
	for name, err := range map[string]error{"whole": io.EOF, "too short": io.ErrUnexpectedEOF} {
		t.Run(name, func(t *testing.T) {
			var inner *http.Response
			arrives := func() { inner.Trailer = http.Header{"X-End": {"done"}} }
			rt := httpmw.Transport(spantest.New(t), roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, replied := reply(200, io.NopCloser(lastReader{arrives, err}))(r)
				inner, resp.Trailer = resp, http.Header{"X-End": nil}
				return resp, replied
			}), httpmw.WithUnclosedBody(func(*http.Request, string) {}))
			resp, _ := rt.RoundTrip(newGet(t.Context(), "http://a.example/"))
			io.ReadAll(resp.Body)
			if got := resp.Trailer.Get("X-End"); got != "done" {
				t.Errorf("trailer %q", got)
			}
		})
	}
}

// lastReader calls a function before it returns its error.
type lastReader struct {
	before func()
	err    error
}

func (r lastReader) Read([]byte) (int, error) {
	r.before()
	return 0, r.err
}

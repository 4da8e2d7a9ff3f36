package httpmw_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// reply is a base transport that answers with a status and a body.
func reply(status int, body io.ReadCloser) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: body, ContentLength: -1, Request: r}, nil
	}
}

func text(s string) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{strings.NewReader(s), io.NopCloser(nil)}
}

func newGet(ctx context.Context, url string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		panic(err)
	}
	return r
}

func TestClientTags(t *testing.T) {
	ot := map[string]any{
		"span.kind": ext.SpanKindRPCClientEnum, "component": "net/http", "http.method": "POST",
		"http.url": "https://api.example/users/7?token=REDACTED", "http.status_code": uint16(200),
		"peer.hostname": "api.example", "peer.port": uint16(443), "peer.service": "users",
		"http.request_size": int64(4), "http.response_size": int64(5), "url.template": "/users/{id}",
	}
	otel := map[string]any{
		"span.kind": ext.SpanKindRPCClientEnum, "component": "net/http", "http.request.method": "POST",
		"url.full": "https://api.example/users/7?token=REDACTED", "http.status_code": uint16(200),
		"http.response.status_code": uint16(200), "server.address": "api.example", "server.port": uint16(443),
		"peer.service": "users", "http.request.body.size": int64(4), "http.response.body.size": int64(5),
		"url.template": "/users/{id}", "network.protocol.version": "1.1",
	}
	for semconv, want := range map[httpmw.Semconv]map[string]any{httpmw.OpenTracing: ot, httpmw.OTel: otel} {
		tracer := spantest.New(t)
		rt := httpmw.Transport(tracer, reply(200, text("hello")), httpmw.WithSemconv(semconv),
			httpmw.WithPeerService(func(*http.Request) string { return "users" }))
		ctx := httpmw.ContextWithRoute(t.Context(), "/users/{id}")
		r, _ := http.NewRequestWithContext(ctx, "POST", "https://alice:hunter2@api.example/users/7?token=hunter2", strings.NewReader("body"))
		resp, err := rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadAll(resp.Body)
		span := one(t, tracer)
		if span.OperationName != "POST /users/{id}" {
			t.Errorf("name %q", span.OperationName)
		}
		tags := span.Tags()
		delete(tags, "http.first_byte_ms") // the length was unknown
		if d := cmp.Diff(want, tags); d != "" {
			t.Errorf("%v: %s", semconv, d)
		}
	}
}

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

func TestErrorsPassByIdentity(t *testing.T) {
	boom := errors.New("boom")
	_, err := httpmw.Transport(spantest.New(t), roundTripper(func(*http.Request) (*http.Response, error) { return nil, boom })).
		RoundTrip(newGet(t.Context(), "http://a.example/"))
	if err != boom {
		t.Errorf("error %v, want the base's own", err)
	}
}

// brokenError is what functions return that mean to return no error.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }
func (e *brokenError) Timeout() bool { return e.text != "" }

// TestBrokenErrors: asking an error for its text must not fail a request that did not ask.
func TestBrokenErrors(t *testing.T) {
	var broken *brokenError
	tracer := spantest.New(t)
	_, err := httpmw.Transport(tracer, roundTripper(func(*http.Request) (*http.Response, error) { return nil, broken })).
		RoundTrip(newGet(t.Context(), "http://a.example/"))
	if err != error(broken) {
		t.Errorf("error %T, want the base's own", err)
	}
	wantTags(t, one(t, tracer), map[string]any{"error": true, "error.type": "*httpmw_test.brokenError"})
}

// TestErrorsThatQuoteURLs: secrets are dropped there, too.
func TestErrorsThatQuoteURLs(t *testing.T) {
	for name, tt := range map[string]struct {
		opts []httpmw.ClientOption
		want string
	}{
		"default": {nil, `Get "http://b.example/?token=REDACTED&x=1": boom`},
		"hook":    {[]httpmw.ClientOption{httpmw.WithURLRedaction(func(*url.URL) string { return "mine" })}, `Get "mine": boom`},
	} {
		tracer := spantest.New(t)
		httpmw.Transport(tracer, roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("%w", &url.Error{Op: "Get", URL: "http://u:secret@b.example/?token=secret&x=1", Err: errors.New("boom")})
		}), tt.opts...).RoundTrip(newGet(t.Context(), "http://a.example/"))
		span := one(t, tracer)
		if logs := errorLogs(span); len(logs) != 1 || logs[0]["message"] != tt.want || span.Tag("otel.status_description") != tt.want {
			t.Errorf("%s: %v, %v, want %q", name, logs, span.Tags(), tt.want)
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
			return context.WithDeadline(ctx, time.Now().Add(20*time.Millisecond))
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

func TestCancelAndCloseTellTheSame(t *testing.T) {
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

func checkBodies(t *testing.T, opts ...httpmw.ClientOption) {
	type wt struct{ *bytes.Buffer } // Reader, Writer, WriterTo
	bodies := map[string]io.ReadCloser{
		"plain": text("abc"),
		"copier": struct {
			io.Reader
			io.WriterTo
			io.Closer
		}{strings.NewReader("abc"), strings.NewReader("abc"), io.NopCloser(nil)},
		"writer": struct {
			io.Reader
			io.Writer
			io.Closer
		}{strings.NewReader("abc"), io.Discard, io.NopCloser(nil)},
		"both": struct {
			wt
			io.Closer
		}{wt{bytes.NewBufferString("abc")}, io.NopCloser(nil)},
	}
	for name, body := range bodies {
		tracer := spantest.New(t)
		resp, _ := httpmw.Transport(tracer, reply(200, body), opts...).RoundTrip(newGet(t.Context(), "http://a.example/"))
		_, copies := body.(io.WriterTo)
		_, writes := body.(io.Writer)
		_, nowCopies := resp.Body.(io.WriterTo)
		_, nowWrites := resp.Body.(io.Writer)
		if copies != nowCopies || writes != nowWrites {
			t.Errorf("%s: WriterTo %v → %v, Writer %v → %v", name, copies, nowCopies, writes, nowWrites)
		}
		var out bytes.Buffer
		if _, err := io.Copy(&out, resp.Body); err != nil || out.String() != "abc" {
			t.Errorf("%s: %q, %v", name, out.String(), err)
		}
		wantTags(t, one(t, tracer), map[string]any{"http.response_size": int64(3)})
	}
}

// TestFirstByteOfStreams: where the length is unknown, the span tells how long the header took, and only there.
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
				t.Errorf("%s: first byte after %v ms, want %v", name, got, tt.want)
			}
		})
	}
}

func TestRedirectsAreSpansOfTheirOwn(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/a":
			http.Redirect(w, r, "/b", http.StatusTemporaryRedirect)
		case "/b":
			http.Redirect(w, r, "/c", http.StatusPermanentRedirect)
		default:
			w.Write(b)
		}
	}))
	resp, err := httpmw.Client(tracer, srv.Client()).Post(srv.URL+"/a", "text/plain", strings.NewReader("again"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "again" {
		t.Errorf("body %q after two redirects", body)
	}
	spans := tracer.Finished()
	if len(spans) != 3 {
		t.Fatalf("%d spans, want 3", len(spans))
	}
	for i, want := range []any{nil, 1, 2} {
		if got := spans[i].Tag("http.request.resend_count"); got != want {
			t.Errorf("hop %d: resend count %v, want %v", i, got, want)
		}
	}
}

// TestCallersRequestIsLeftAlone, also when it is used by two goroutines at once.
func TestCallersRequestIsLeftAlone(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	body := io.NopCloser(strings.NewReader("body"))
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://a.example/", nil)
	r.Body, r.ContentLength = body, 4
	r.GetBody = func() (io.ReadCloser, error) { return body, nil }
	r.Header = http.Header{"X-A": {"1"}, "Traceparent": {"00-" + parentID + "-01"}}
	before := r.Header.Clone()
	rt := httpmw.Transport(tracer, roundTripper(func(out *http.Request) (*http.Response, error) {
		if out.Body != body || out.GetBody == nil || out.URL != r.URL {
			t.Error("body or URL replaced")
		}
		if got := out.Header["Traceparent"]; len(got) != 1 || strings.Contains(got[0], parentID) {
			t.Errorf("stale header not replaced: %q", got)
		}
		return &http.Response{StatusCode: 204, Request: out}, nil
	}))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			resp, err := rt.RoundTrip(r)
			if err != nil || resp.Request != r {
				t.Errorf("the response's request is not the caller's, %v", err)
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff(before, r.Header); d != "" {
		t.Error(d)
	}
}

func TestReplayedBodiesOfPipes(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }), protocols["h2"])
	client := httpmw.Client(tracer, srv.Client())
	pr, pw := io.Pipe()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, pr)
	go func() { fmt.Fprint(pw, "through a pipe"); pw.Close() }()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(b) != "through a pipe" {
		t.Errorf("%q", b)
	}
}

func TestPropagationByHost(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	headers := map[string]http.Header{}
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		headers[r.URL.Host] = r.Header
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), httpmw.WithPropagation(func(r *http.Request) bool { return r.URL.Host == "ours.example" }))
	span := tracer.StartSpan("job").SetBaggageItem("k", "v")
	defer span.Finish()
	ctx := opentracing.ContextWithSpan(t.Context(), span)
	rt.RoundTrip(newGet(ctx, "http://ours.example/"))
	rt.RoundTrip(newGet(ctx, "http://theirs.example/"))
	if headers["ours.example"].Get("Traceparent") == "" || len(headers["theirs.example"]) != 0 {
		t.Errorf("headers %v", headers)
	}
}

// TestDistrustWhenHooksPanic: a hook that cannot tell does not open what it guards.
func TestDistrustWhenHooksPanic(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	broken := func(*http.Request) bool { panic("hook") }
	var header http.Header
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		header = r.Header
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), httpmw.WithPropagation(broken))
	if _, err := rt.RoundTrip(newGet(t.Context(), "http://x.example/")); err != nil || len(header) != 0 {
		t.Errorf("error %v, headers %v; want none", err, header)
	}
	handle(httpmw.Middleware(tracer, httpmw.WithPublicEndpoint(broken))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := opentracing.SpanFromContext(r.Context()).BaggageItem("k"); got != "" {
			t.Errorf("baggage %q of a caller that may be anybody", got)
		}
	})), "GET", "/", "Traceparent", "00-"+parentID+"-01", "Baggage", "k=v")
}

func TestClientFilterPassesTheContextOn(t *testing.T) {
	tracer := spantest.New(t)
	var got http.Header
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	}), httpmw.WithFilter(func(*http.Request) bool { return false }))
	span := tracer.StartSpan("job")
	r := newGet(opentracing.ContextWithSpan(t.Context(), span), "http://a.example/")
	resp, _ := rt.RoundTrip(r)
	span.Finish()
	want := fmt.Sprint(one(t, tracer).SpanContext.SpanID)
	if got.Get("Mockpfx-Ids-Spanid") != want || len(r.Header) != 0 || resp.Request != r {
		t.Errorf("sent %v, want the span of the caller", got)
	}
}

type idler struct {
	http.RoundTripper
	closed int
}

func (i *idler) CloseIdleConnections() { i.closed++ }

func TestBaseIsReachable(t *testing.T) {
	base := &idler{RoundTripper: http.DefaultTransport}
	rt := httpmw.Transport(nil, base)
	(&http.Client{Transport: rt}).CloseIdleConnections()
	if base.closed != 1 {
		t.Error("CloseIdleConnections did not reach the base")
	}
	if u, ok := rt.(interface{ Unwrap() http.RoundTripper }); !ok || u.Unwrap() != http.RoundTripper(base) {
		t.Error("Unwrap does not lead to the base")
	}
	client := &http.Client{Timeout: time.Minute}
	if got := httpmw.Client(nil, client); got == client || got.Timeout != time.Minute || client.Transport != nil {
		t.Error("Client must return a copy with the same settings")
	}
}

// TestTransportsOfOneRequest make one span, unless it is another request that is sent in its course.
func TestTransportsOfOneRequest(t *testing.T) {
	for _, newTracer := range map[string]func() (opentracing.Tracer, func() int){
		"spantest": func() (opentracing.Tracer, func() int) {
			tr := spantest.New(t)
			return tr, func() int { return len(tr.Finished()) }
		},
		"jaeger": func() (opentracing.Tracer, func() int) {
			tr, reporter := newJaeger(t, always)
			return tr, reporter.SpansSubmitted
		},
	} {
		tracer, spans := newTracer()
		base := reply(200, http.NoBody)
		wrap := func(rt http.RoundTripper) http.RoundTripper { return httpmw.Transport(tracer, rt) }
		cloning := func(rt http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				r = r.Clone(r.Context())
				r.URL.Host = "balanced.example"
				r.Header.Set("X-Signed", "1")
				return rt.RoundTrip(r)
			})
		}
		wrap(wrap(base)).RoundTrip(newGet(t.Context(), "http://a.example/1"))
		if got := spans(); got != 1 {
			t.Errorf("twice: %d spans, want 1", got)
		}
		inner := wrap(base)
		withToken := roundTripper(func(r *http.Request) (*http.Response, error) {
			if _, err := inner.RoundTrip(newGet(r.Context(), "http://auth.example/token")); err != nil {
				return nil, err
			}
			return inner.RoundTrip(r.Clone(r.Context()))
		})
		wrap(withToken).RoundTrip(newGet(t.Context(), "http://a.example/2"))
		if got := spans(); got != 3 {
			t.Errorf("with a token: %d spans in all, want 3", got)
		}
		if _, isJaeger := tracer.(*spantest.Tracer); isJaeger {
			continue // a changed URL is recognised by the headers of known formats
		}
		wrap(cloning(wrap(base))).RoundTrip(newGet(t.Context(), "http://a.example/3"))
		if got := spans(); got != 4 {
			t.Errorf("with a changed copy: %d spans in all, want 4", got)
		}
	}
}

func TestRetriesAbove(t *testing.T) {
	tracer := spantest.New(t)
	n := 0
	rt := httpmw.Transport(tracer, roundTripper(func(*http.Request) (*http.Response, error) {
		if n++; n < 3 {
			return nil, io.ErrUnexpectedEOF
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}))
	r := newGet(t.Context(), "http://a.example/")
	for range 3 {
		rt.RoundTrip(r)
	}
	if got := len(tracer.Finished()); got != 3 {
		t.Errorf("%d spans of three attempts", got)
	}
}

func TestClientOutcome(t *testing.T) {
	var got httpmw.Outcome
	tracer := spantest.New(t)
	rt := httpmw.Transport(tracer, reply(404, text("nobody")), httpmw.WithOutcome(func(_ opentracing.Span, _ *http.Request, o *httpmw.Outcome) {
		got = *o
		o.IsError = false
	}))
	resp, _ := rt.RoundTrip(newGet(httpmw.ContextWithRoute(t.Context(), "/u/{id}"), "http://a.example/u/1"))
	io.ReadAll(resp.Body)
	wantTags(t, one(t, tracer), map[string]any{"error": nil, "error.type": nil, "otel.status_code": "OK", "http.status_code": uint16(404)})
	if got.Status != 404 || got.BytesIn != 6 || got.Route != "/u/{id}" || !got.IsError || got.Duration < got.FirstByte {
		t.Errorf("outcome %+v", got)
	}
}

func TestClientAndServerShareATrace(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })))
	job := tracer.StartSpan("job")
	resp, err := httpmw.Client(tracer, srv.Client()).Do(newGet(opentracing.ContextWithSpan(t.Context(), job), srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	job.Finish()
	byKind := map[any]*mocktracer.MockSpan{}
	for _, s := range tracer.Finished() {
		byKind[s.Tag("span.kind")] = s
	}
	server, client := byKind[ext.SpanKindRPCServerEnum], byKind[ext.SpanKindRPCClientEnum]
	if server.ParentID != client.SpanContext.SpanID || client.ParentID != byKind[nil].SpanContext.SpanID {
		t.Error("the spans are not a chain")
	}
}

func eventNames(span *mocktracer.MockSpan) map[string]bool {
	names := map[string]bool{}
	for _, rec := range span.Logs() {
		names[rec.Fields[0].ValueString] = true
	}
	return names
}

func TestConnectionEvents(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(ok), protocols["h2"])
	var theirs atomic.Int32
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { theirs.Add(1) }})
	resp, err := httpmw.Client(tracer, srv.Client(), httpmw.WithConnectionEvents()).Do(newGet(ctx, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span := one(t, tracer)
	names := eventNames(span)
	for _, want := range []string{"GetConn", "ConnectStart", "ConnectDone", "TLSHandshakeDone", "GotConn", "WroteRequest", "GotFirstResponseByte"} {
		if !names[want] {
			t.Errorf("no event %s among %v", want, names)
		}
	}
	wantTags(t, span, map[string]any{"peer.ipv4": "127.0.0.1", "peer.address": srv.Listener.Addr().String(), "net/http.reused": false})
	if theirs.Load() != 1 {
		t.Error("the caller's own hook was lost")
	}
}

// TestConnectionEventsInAnyOrder: hooks run at once, out of order, with nothing in them, and after the end.
func TestConnectionEventsInAnyOrder(t *testing.T) {
	tracer := spantest.New(t)
	var ct *httptrace.ClientTrace
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		ct = httptrace.ContextClientTrace(r.Context())
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ct.PutIdleConn(nil)
				ct.GotConn(httptrace.GotConnInfo{})
				ct.ConnectDone("tcp", "1.1.1.1:1", errors.New("refused"))
				ct.DNSDone(httptrace.DNSDoneInfo{})
				ct.TLSHandshakeDone(tls.ConnectionState{}, nil)
				for range 100 {
					ct.GotFirstResponseByte()
				}
			})
		}
		wg.Wait()
		return &http.Response{StatusCode: 204}, nil
	}), httpmw.WithConnectionEvents())
	rt.RoundTrip(newGet(t.Context(), "http://a.example/"))
	n := len(one(t, tracer).Logs())
	ct.PutIdleConn(nil)
	if after := len(one(t, tracer).Logs()); n == 0 || n > 64 || after != n {
		t.Errorf("%d events, %d after a late one", n, after)
	}
}

// TestConnectionEventsWithBrokenErrors: net/http tells of them in goroutines of its own, where a panic ends the program.
func TestConnectionEventsWithBrokenErrors(t *testing.T) {
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	for name, cause := range map[string]error{
		"nil":  (*brokenError)(nil),
		"long": errors.New(strings.Repeat("x", 5000)),
	} {
		tracer := spantest.New(t)
		r, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL, errReader{cause})
		if _, err := httpmw.Client(tracer, srv.Client(), httpmw.WithConnectionEvents()).Do(r); !errors.Is(err, cause) {
			t.Errorf("%s: error %T, want the body's own", name, err)
		}
		for _, rec := range one(t, tracer).Logs() {
			if all := fmt.Sprint(rec.Fields); len(all) > 2000 {
				t.Errorf("%s: event of %d bytes", name, len(all))
			}
		}
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
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	l.Close()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	httpmw.Client(refused, &http.Client{Transport: tr}).Get("http://" + l.Addr().String())
	wantTags(t, one(t, refused), map[string]any{"error": true, "error.type": "*net.OpError", "http.status_code": nil})
}

func TestBrokenRequestsGetTheBasesAnswer(t *testing.T) {
	tracer := spantest.New(t)
	tr := &http.Transport{}
	for name, r := range map[string]*http.Request{
		"no URL":    {Method: "GET", Header: http.Header{}},
		"no header": {Method: "GET", URL: httptest.NewRequest("GET", "http://a.example/", nil).URL},
		"no host":   newGet(t.Context(), "http:///x"),
		"scheme":    newGet(t.Context(), "gopher://a.example/"),
		"opaque":    {Method: "GET", Header: http.Header{}, URL: newGet(t.Context(), "mailto:x").URL},
		"method":    {Method: "BAD METHOD", Header: http.Header{}, URL: newGet(t.Context(), "http://a.example/").URL},
	} {
		_, bare := tr.RoundTrip(r)
		_, traced := httpmw.Transport(tracer, tr).RoundTrip(r)
		if bare == nil || traced == nil || bare.Error() != traced.Error() {
			t.Errorf("%s: %v, want %v", name, traced, bare)
		}
	}
}

// TestManyTransports: one made for each request leaves nothing behind (the goroutines are counted at the end).
func TestManyTransports(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, http.HandlerFunc(ok))
	for range 20 {
		resp, err := httpmw.Client(tracer, srv.Client(), httpmw.WithConnectionEvents()).Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if got := len(tracer.Finished()); got != 20 {
		t.Errorf("%d spans", got)
	}
}

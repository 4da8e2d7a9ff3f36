package httpmw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"

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

func TestClientSpansHaveTheirTags(t *testing.T) {
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
		t.Run(fmt.Sprint(semconv), func(t *testing.T) {
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
		})
	}
}

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

// An error whose Error method panics must not fail a request whose caller does not call it.
func TestErrorsThatPanicFailNoRequest(t *testing.T) {
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
	const target = "http://u:secret@b.example/?token=secret&x=1"
	quoted := fmt.Errorf("%w", &url.Error{Op: "Get", URL: target, Err: errors.New("boom")})
	hook := []httpmw.ClientOption{httpmw.WithURLRedaction(func(*url.URL) string { return "mine" })}
	for name, tt := range map[string]struct {
		err  error
		opts []httpmw.ClientOption
		want string
	}{
		"default":                {quoted, nil, `Get "http://b.example/?token=REDACTED&x=1": boom`},
		"hook":                   {quoted, hook, `Get "mine": boom`},
		"hook, the URL is first": {errors.New(target + " is down"), hook, "mine is down"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			httpmw.Transport(tracer, roundTripper(func(*http.Request) (*http.Response, error) {
				return nil, tt.err
			}), tt.opts...).RoundTrip(newGet(t.Context(), "http://a.example/"))
			span := one(t, tracer)
			if logs := errorLogs(span); len(logs) != 1 || logs[0]["message"] != tt.want || span.Tag("otel.status_description") != tt.want {
				t.Errorf("%s: %v, %v, want %q", name, logs, span.Tags(), tt.want)
			}
		})
	}
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
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			resp, _ := httpmw.Transport(tracer, reply(200, body), opts...).RoundTrip(newGet(t.Context(), "http://a.example/"))
			_, copies := body.(io.WriterTo)
			_, writes := body.(io.Writer)
			_, nowCopies := resp.Body.(io.WriterTo)
			_, nowWrites := resp.Body.(io.Writer)
			if copies != nowCopies || writes != nowWrites {
				t.Errorf("WriterTo %v → %v, Writer %v → %v", copies, nowCopies, writes, nowWrites)
			}
			var out bytes.Buffer
			if _, err := io.Copy(&out, resp.Body); err != nil || out.String() != "abc" {
				t.Errorf("%q, %v", out.String(), err)
			}
			wantTags(t, one(t, tracer), map[string]any{"http.response_size": int64(3)})
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

func TestClientOutcomeHooksSeeTheAnswer(t *testing.T) {
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
		t.Run(name, func(t *testing.T) {
			_, bare := tr.RoundTrip(r)
			_, traced := httpmw.Transport(tracer, tr).RoundTrip(r)
			if bare == nil || traced == nil || bare.Error() != traced.Error() {
				t.Errorf("%s: %v, want %v", name, traced, bare)
			}
		})
	}
}

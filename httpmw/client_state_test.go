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
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/quiet"
	"github.com/spanloom/spanloom/spantest"
)

// TestRequestIsFreeAfterClose: a caller may use its request again once it has closed the body, even if another goroutine
// is just ending the span. The race detector reports it if not.
func TestRequestIsFreeAfterClose(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	for _, path := range []string{"/plain", "/traced"} {
		for name, endElsewhere := range map[string]func(cancel func(), body io.Reader){
			"context": func(cancel func(), _ io.Reader) { cancel() },
			"reader":  func(_ func(), body io.Reader) { go io.ReadAll(body) },
		} {
			t.Run(name+path, func(t *testing.T) {
				ending := make(chan bool)
				look := httpmw.WithOutcome(func(_ opentracing.Span, r *http.Request, _ *httpmw.Outcome) {
					close(ending)
					for range 2000 {
						_ = len(r.Method) + len(r.URL.Path) + len(r.Host) + len(r.Header) + int(r.ContentLength)
					}
				})
				rt := httpmw.Transport(tracer, reply(200, text("hello")), look,
					httpmw.WithPropagation(func(r *http.Request) bool { return r.URL.Path != "/plain" }))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r := newGet(ctx, "http://a.example"+path)
				resp, err := rt.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				endElsewhere(cancel, resp.Body)
				<-ending
				resp.Body.Close()
				r.Method, r.ContentLength, r.Host, r.URL.Host, r.URL.Path = "POST", 5, "b.example", "b.example", "/y"
				r.Header.Set("X-A", "1")
			})
		}
	}
}

// TestStateIsNotPrinted: programs log contexts.
func TestStateIsNotPrinted(t *testing.T) {
	rt := httpmw.Transport(spantest.New(t), roundTripper(func(r *http.Request) (*http.Response, error) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, r.Context()); len(got) > 200 || strings.Contains(got, "hunter2") {
				t.Errorf("%s: %s", verb, got)
			}
		}
		return reply(200, http.NoBody)(r)
	}))
	r := newGet(context.Background(), "http://a.example/")
	r.Header.Set("Authorization", "hunter2")
	rt.RoundTrip(r)
}

// Requests of the kit itself pass as they are.
func TestRequestsOfTheKitItselfPassUntraced(t *testing.T) {
	tracer := spantest.New(t)
	job := tracer.StartSpan("job")
	r := newGet(quiet.Context(opentracing.ContextWithSpan(t.Context(), job)), "http://a.example/")
	rt := httpmw.Transport(tracer, roundTripper(func(out *http.Request) (*http.Response, error) {
		if out != r {
			t.Error("another request was sent")
		}
		return reply(200, http.NoBody)(out)
	}))
	rt.RoundTrip(r)
	job.Finish()
	one(t, tracer)
}

func TestSchemesOfOtherTransports(t *testing.T) {
	for target, want := range map[string]map[string]any{
		"file:///etc/hosts":        {"http.url": "file:///etc/hosts"},
		"unix://socket/v1/x":       {"http.url": "unix://socket/v1/x", "peer.hostname": "socket", "server.address": "socket"},
		"foo://h:99/":              {"peer.hostname": "h", "peer.port": uint16(99), "server.port": uint16(99), "server.address": "h"},
		"http://h/":                {"peer.hostname": "h", "peer.port": uint16(80), "server.port": uint16(80), "server.address": "h"},
		"https://me:hunter2@h/":    {"http.url": "https://h/", "peer.hostname": "h", "peer.port": uint16(443)},
		"https://[::1]:8443/x?y=1": {"peer.hostname": "::1", "peer.port": uint16(8443), "server.address": "::1"},
	} {
		t.Run(target, func(t *testing.T) {
			tracer := spantest.New(t)
			httpmw.Transport(tracer, reply(200, http.NoBody), httpmw.WithSemconv(httpmw.Both)).RoundTrip(newGet(t.Context(), target))
			span := one(t, tracer)
			for _, key := range []string{"peer.hostname", "peer.port", "server.address", "server.port"} {
				if _, has := want[key]; !has && !strings.HasPrefix(target, "http") {
					want[key] = nil
				}
			}
			wantTags(t, span, want)
		})
	}
}

// TestNoSecretIsRecorded of a request, its response and its errors.
func TestNoSecretIsRecorded(t *testing.T) {
	const secret = "hunter2"
	fails := func(err error) roundTripper {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	retried := func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("%s %s giving up after 3 attempt(s): %w", r.Method, r.URL, errors.New("refused"))
	}
	hide := httpmw.WithURLRedaction(func(u *url.URL) string { return "http://" + u.Host + "/hidden" })
	for name, tt := range map[string]struct {
		base roundTripper
		opts []httpmw.ClientOption
		want string // the message; "" if there is none
	}{
		"retries": {base: retried, want: "GET http://a.example/p;sid=REDACTED?accessToken=REDACTED#id_token=REDACTED giving up after 3 attempt(s): refused"},
		"retries, by the user's hook": {base: retried, opts: []httpmw.ClientOption{hide},
			want: "GET http://a.example/hidden giving up after 3 attempt(s): refused"},
		"proxy":  {base: fails(errors.New("proxyconnect: http://me:hunter2@proxy:3128 refused")), want: "proxyconnect: http://proxy:3128 refused"},
		"pairs":  {base: fails(errors.New(`login password=hunter2: {"client_secret":"hunter2"}`)), want: `login password=REDACTED: {"client_secret":"REDACTED"}`},
		"header": {base: fails(errors.New("sent Authorization: Bearer hunter2")), want: "sent Authorization: REDACTED"},
		"body":   {base: reply(200, io.NopCloser(errReader{errors.New("token=hunter2")})), want: "token=REDACTED"},
		"response": {base: func(r *http.Request) (*http.Response, error) {
			resp, err := reply(200, http.NoBody)(r)
			resp.Header = http.Header{"Set-Cookie": {"a=hunter2", "b=hunter2"}, "Location": {"/cb?code=hunter2", "https://me:hunter2@x/"}}
			return resp, err
		}},
		"panic": {base: func(*http.Request) (*http.Response, error) { panic("dsn me:hunter2@tcp(db)") }, want: "dsn me:REDACTED@tcp(db)"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			headers := httpmw.WithHeaderTags([]string{"Authorization", "x_api_key", "Referer"}, []string{"Set-Cookie", "Location"})
			rt := httpmw.Transport(tracer, tt.base, append(tt.opts, headers, httpmw.WithSemconv(httpmw.Both))...)
			r := newGet(t.Context(), "http://me:hunter2@a.example/p;sid=hunter2?accessToken=hunter2#id_token=hunter2")
			r.Header = http.Header{"Authorization": {"Bearer hunter2"}, "X_api_key": {secret}, "Referer": {"/?jwt=hunter2"}}
			func() {
				defer func() { _ = recover() }()
				if resp, err := rt.RoundTrip(r); err == nil {
					io.ReadAll(resp.Body)
				}
			}()
			span := one(t, tracer)
			if all := fmt.Sprint(span.Tags(), errorLogs(span)); strings.Contains(all, secret) {
				t.Errorf("recorded: %s", all)
			}
			wantTags(t, span, map[string]any{"http.request.header.authorization": "REDACTED", "http.request.header.referer": "/?jwt=REDACTED"})
			if logs := errorLogs(span); tt.want != "" && (len(logs) != 1 || logs[0]["message"] != tt.want) {
				t.Errorf("%v\nwant %s", logs, tt.want)
			}
		})
	}
}

// panicky is a tracer whose methods panic, as those of a half-built one do.
type panicky struct {
	opentracing.Tracer
	start, inject, finish bool
}

type panickySpan struct {
	opentracing.Span
	t panicky
}

func (p panicky) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	if p.start {
		panic("start")
	}
	return panickySpan{p.Tracer.StartSpan(name, opts...), p}
}

func (p panicky) Inject(opentracing.SpanContext, any, any) error {
	if p.inject {
		panic("inject")
	}
	return nil
}

func (s panickySpan) Tracer() opentracing.Tracer { return s.t }
func (s panickySpan) LogFields(...log.Field)     {}
func (s panickySpan) Finish() {
	s.Span.Finish()
	if s.t.finish {
		panic("finish")
	}
}

func (s panickySpan) FinishWithOptions(o opentracing.FinishOptions) {
	s.Span.FinishWithOptions(o)
	if s.t.finish {
		panic("finish")
	}
}

// TestTracersThatPanic do not fail a request, and a span that was started ends.
func TestTracersThatPanic(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(ok))
	defer srv.Close()
	for name, p := range map[string]panicky{"start": {start: true}, "inject": {inject: true}, "finish": {finish: true}} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			p.Tracer = tracer
			if resp, _ := get(t, httpmw.Client(p, srv.Client()), srv.URL); resp.StatusCode != 200 {
				t.Errorf("status %d", resp.StatusCode)
			}
			if got := len(tracer.Finished()); p.start == (got == 1) {
				t.Errorf("%d spans", got)
			}
		})
	}
}

func TestClientBaggageAndProfiling(t *testing.T) {
	tracer := spantest.New(t)
	job := tracer.StartSpan("job").SetBaggageItem("tenant", "acme")
	ctx := opentracing.ContextWithSpan(t.Context(), job)
	labels := func(ctx context.Context) string {
		name, _ := pprof.Label(ctx, "span_name")
		return name
	}
	profile := func() string {
		var b bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&b, 1)
		return b.String()
	}
	rt := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
		if got := labels(r.Context()); got != "GET /x" || !strings.Contains(profile(), `"span_name":"GET /x"`) {
			t.Errorf("label %q", got)
		}
		return reply(200, http.NoBody)(r)
	}), httpmw.WithBaggageTags("tenant", "none"), httpmw.WithProfilingLabels())
	rt.RoundTrip(newGet(httpmw.ContextWithRoute(ctx, "/x"), "http://a.example/x"))
	job.Finish()
	if strings.Contains(profile(), "span_name") {
		t.Error("the labels outlive the round trip")
	}
	for _, span := range tracer.Finished() {
		if span.OperationName == "GET /x" {
			wantTags(t, span, map[string]any{"baggage.tenant": "acme", "baggage.none": nil})
			return
		}
	}
	t.Error("no client span")
}

package httpmw_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

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

// TestDistrustWhenHooksPanic: a hook that panics allows nothing that it guards.
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

// TestTransportsOfOneRequest make one span, unless it is another request that is sent in its course.
func TestTransportsOfOneRequest(t *testing.T) {
	for name, newTracer := range map[string]func() (opentracing.Tracer, func() int){
		"spantest": func() (opentracing.Tracer, func() int) {
			tr := spantest.New(t)
			return tr, func() int { return len(tr.Finished()) }
		},
		"jaeger": func() (opentracing.Tracer, func() int) {
			tr, reporter := newJaeger(t, always)
			return tr, reporter.SpansSubmitted
		},
	} {
		t.Run(name, func(t *testing.T) {
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
				return // a changed URL is recognised by the headers of known formats
			}
			wrap(cloning(wrap(base))).RoundTrip(newGet(t.Context(), "http://a.example/3"))
			if got := spans(); got != 4 {
				t.Errorf("with a changed copy: %d spans in all, want 4", got)
			}
		})
	}
}

func TestRetriesAboveHaveASpanEach(t *testing.T) {
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

// A transport made for each request leaves nothing behind (the goroutines are counted at the end).
func TestTransportsForEachRequestLeaveNothingBehind(t *testing.T) {
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

package httpmw_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// served returns the span of one request to h.
func served(t *testing.T, h http.HandlerFunc, r *http.Request, opts ...httpmw.ServerOption) *mocktracer.MockSpan {
	t.Helper()
	return one(t, serveOne(t, h, r, opts))
}

// servedDespitePanics is served with hooks that panic.
func servedDespitePanics(t *testing.T, h http.HandlerFunc, r *http.Request, opts ...httpmw.ServerOption) *mocktracer.MockSpan {
	t.Helper()
	return oneDespitePanics(t, serveOne(t, h, r, opts))
}

func serveOne(t *testing.T, h http.HandlerFunc, r *http.Request, opts []httpmw.ServerOption) *spantest.Tracer {
	tracer := spantest.New(t)
	func() {
		defer func() { recover() }()
		httpmw.Middleware(tracer, opts...)(h).ServeHTTP(httptest.NewRecorder(), r)
	}()
	return tracer
}

func request(method, target string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// TestClientsThatHangUp are not the server's fault, whatever the handler makes of it.
func TestClientsThatHangUp(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(http.ResponseWriter)
		want map[string]any
	}{
		"silent":   {func(http.ResponseWriter) {}, map[string]any{"http.status_code": nil}},
		"says 500": {func(w http.ResponseWriter) { w.WriteHeader(500) }, map[string]any{"http.status_code": uint16(500), "otel.status_code": "OK"}},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			entered := make(chan struct{})
			srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(entered)
				<-r.Context().Done()
				tt.then(w)
			})))
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-entered; cancel() }()
			r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			if _, err := srv.Client().Do(r); !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			tt.want["error"], tt.want["error.type"], tt.want["http.aborted"] = nil, "context_canceled", true
			wantTags(t, one(t, tracer), tt.want)
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	span := served(t, func(w http.ResponseWriter, r *http.Request) {}, request("GET", "/").WithContext(ctx))
	wantTags(t, span, map[string]any{"error.type": "timeout", "http.aborted": nil})
}

func TestClientsThatHangUpInTheMiddle(t *testing.T) {
	tracer := spantest.New(t)
	srv := serve(t, httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 1<<16))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		for range 1000 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})))
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span := one(t, tracer)
	wantTags(t, span, map[string]any{"http.status_code": uint16(200), "http.aborted": true, "error": nil})
	if span.Tag("http.write_error") == nil {
		t.Error("nothing tells of the write that failed")
	}
}

// TestWritesWithoutEffect: a handler that writes what cannot be sent gives the client its whole answer.
func TestWritesWithoutEffect(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"no body allowed": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNotModified)
			if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
				t.Error(err)
			}
		},
		"hijacked": func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 304 Not Modified\r\n\r\n")
			if _, err := io.WriteString(w, "x"); err != http.ErrHijacked {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			srv := serve(t, httpmw.Middleware(tracer)(handler), protocols["http/1.1"])
			resp, err := srv.Client().Get(srv.URL)
			if err != nil || resp.StatusCode != http.StatusNotModified {
				t.Error(resp, err)
			}
			resp.Body.Close()
			wantTags(t, one(t, tracer), map[string]any{"error.type": nil, "http.write_error": nil, "error": nil})
		})
	}
}

func TestFilteredRequestsPassTheContextOn(t *testing.T) {
	tracer := spantest.New(t)
	var child opentracing.Span
	mw := httpmw.Middleware(tracer, httpmw.WithFilter(func(r *http.Request) bool { return r.URL.Path != "/healthz" }), httpmw.WithFilter(nil))
	h := mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, _ = opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
		child.Finish()
	}))
	caller := tracer.StartSpan("caller")
	r := request("GET", "/healthz")
	tracer.Inject(caller.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header))
	h.ServeHTTP(httptest.NewRecorder(), r)
	caller.Finish()
	spans := tracer.Finished()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want the child and its caller", len(spans))
	}
	if spans[0].ParentID != spans[1].SpanContext.SpanID {
		t.Error("the caller's context did not reach the child")
	}
}

func TestFilterThatPanicsTraces(t *testing.T) {
	span := servedDespitePanics(t, func(http.ResponseWriter, *http.Request) {}, request("GET", "/"), httpmw.WithFilter(func(*http.Request) bool { panic("x") }))
	wantTags(t, span, map[string]any{"spanloom.hook_panics": 1})
}

func TestSilencedRequestsReportNoSpans(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	var header http.Header
	h := httpmw.Middleware(tracer, httpmw.WithSilence(func(r *http.Request) bool { return r.URL.Path == "/healthz" }))(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			child, ctx := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
			defer child.Finish()
			out, _ := http.NewRequestWithContext(ctx, "GET", "http://x.example/", nil)
			httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
				header = r.Header
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})).RoundTrip(out)
		}))
	for _, parent := range []string{"", "00-" + parentID + "-01"} {
		t.Run(cmp.Or(parent, "no parent"), func(t *testing.T) {
			r := request("GET", "/healthz", "Traceparent", parent)
			h.ServeHTTP(httptest.NewRecorder(), r)
			if n := reporter.SpansSubmitted(); n != 0 || !strings.HasSuffix(header.Get("Traceparent"), "-00") {
				t.Errorf("parent %q: %d spans, header %q; want none, unsampled", parent, n, header.Get("Traceparent"))
			}
		})
	}
	h.ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
	if n := reporter.SpansSubmitted(); n != 3 {
		t.Errorf("%d spans of a loud request, want 3", n)
	}
}

// TestSilenceGoesBeforeTheFilter: requests that are also filtered out do not let the caller's context through.
func TestSilenceGoesBeforeTheFilter(t *testing.T) {
	tracer, reporter := newJaeger(t, always)
	h := httpmw.Middleware(tracer,
		httpmw.WithFilter(func(*http.Request) bool { return false }), httpmw.WithSilence(func(*http.Request) bool { return true }),
	)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		child, _ := opentracing.StartSpanFromContextWithTracer(r.Context(), tracer, "child")
		child.Finish()
	}))
	handle(h, "GET", "/healthz")
	handle(h, "GET", "/healthz", "Traceparent", "00-"+parentID+"-01")
	if n := reporter.SpansSubmitted(); n != 0 {
		t.Errorf("%d spans below silence, want none", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Nothing the caller sends decides anything.
func TestPublicEndpointsObeyNoCaller(t *testing.T) {
	for name, tt := range map[string]struct {
		header []string
		link   bool
	}{
		"sampled":  {[]string{"Traceparent", "00-" + parentID + "-01", "Baggage", "k=v"}, true},
		"jaeger":   {[]string{"Uber-Trace-Id", "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:3", "Uberctx-K", "v"}, true},
		"debug id": {[]string{"Jaeger-Debug-Id", "x"}, false},
		"baggage":  {[]string{"Jaeger-Baggage", "k=v"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for want, sampler := range []jaeger.Sampler{never, always} {
				t.Run(fmt.Sprint(sampler), func(t *testing.T) {
					tracer, reporter := newJaeger(t, sampler)
					h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("X-Trace-Id"), httpmw.WithPublicEndpoint(func(*http.Request) bool { return true }))(
						http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if got := opentracing.SpanFromContext(r.Context()).BaggageItem("k"); got != "" {
								t.Errorf("baggage %q", got)
							}
						}))
					w := handle(h, "GET", "/", tt.header...)
					if w.Header().Get("X-Trace-Id") != "" {
						t.Error("trace id sent to the public")
					}
					if got := reporter.SpansSubmitted(); got != want {
						t.Errorf("%d spans, want %d", got, want)
						return
					}
					if want == 0 {
						return
					}
					span := reporter.GetSpans()[0].(*jaeger.Span)
					if span.SpanContext().ParentID() != 0 || span.SpanContext().TraceID().String() == parentID[:32] {
						t.Error("joined the caller's trace")
					}
					if got := span.Tags()["link.trace_id"] == parentID[:32] && span.Tags()["link.span_id"] == parentID[33:]; got != tt.link {
						t.Errorf("link %v", span.Tags())
					}
				})
			}
		})
	}
}

// TestAnotherRequestInsideOne is another span; the same request in another middleware is not.
func TestAnotherRequestInsideOne(t *testing.T) {
	tracer := spantest.New(t)
	m := httpmw.Middleware(tracer)
	inner := m(http.HandlerFunc(ok))
	h := m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner.ServeHTTP(w, r.Clone(r.Context()))
		sub, _ := http.NewRequestWithContext(r.Context(), "GET", "/sub", nil)
		inner.ServeHTTP(httptest.NewRecorder(), sub)
	}))
	handle(h, "GET", "/")
	spans := tracer.Finished()
	if len(spans) != 2 || spans[0].ParentID != spans[1].SpanContext.SpanID {
		t.Errorf("spans %v, want the request within the other", spans)
	}
}

// The global tracer is looked up on every request.
func TestTheGlobalTracerIsLookedUpOnEveryRequest(t *testing.T) {
	before := opentracing.GlobalTracer()
	defer opentracing.SetGlobalTracer(before)
	h := httpmw.Middleware(nil)(http.HandlerFunc(ok))
	handle(h, "GET", "/")
	tracer := spantest.New(t)
	opentracing.SetGlobalTracer(tracer)
	handle(h, "GET", "/")
	one(t, tracer)
}

func TestLateSamplingGetsAllTags(t *testing.T) {
	tracer, reporter := newJaeger(t, never)
	h := httpmw.Middleware(tracer)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ext.SamplingPriority.Set(opentracing.SpanFromContext(r.Context()), 1)
	}))
	handle(h, "GET", "/x")
	if reporter.SpansSubmitted() != 1 {
		t.Fatal("not reported")
	}
	tags := reporter.GetSpans()[0].(*jaeger.Span).Tags()
	if tags["http.method"] != "GET" || tags["http.status_code"] != uint16(200) || tags["span.kind"] != ext.SpanKindRPCServerEnum {
		t.Errorf("tags %v", tags)
	}
}

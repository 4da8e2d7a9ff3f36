package httpmw_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

func TestTraceIDHeader(t *testing.T) {
	tracer, _ := newJaeger(t, never)
	h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("x-trace-id"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := w.Header().Get("X-Trace-Id"); got != parentID[:32] {
			t.Errorf("the handler sees %q", got)
		}
	}))
	w := handle(h, "GET", "/", "Traceparent", "00-"+parentID+"-00")
	if got := w.Header()["X-Trace-Id"]; len(got) != 1 || got[0] != parentID[:32] {
		t.Errorf("X-Trace-Id = %q", got)
	}
}

// TestTraceIDHeaderFormats of https://w3c.github.io/trace-context/#traceresponse-header and Server-Timing.
func TestTraceIDHeaderFormats(t *testing.T) {
	unsampled, _ := newJaeger(t, never)
	sampled, _ := newJaeger(t, always)
	for _, tt := range []struct {
		tracer opentracing.Tracer
		flags  string
	}{{unsampled, "00"}, {sampled, "01"}, {&identified{}, "00"}, {&identified{sampled: true}, "01"}} {
		t.Run(fmt.Sprintf("%T of flags %s", tt.tracer, tt.flags), func(t *testing.T) {
			for _, name := range []string{"traceresponse", "TraceResponse", "server-timing", "X-Trace-Id"} {
				t.Run(name, func(t *testing.T) {
					var id, before string
					h := httpmw.Middleware(tt.tracer, httpmw.WithTraceIDHeader(name))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						sc := opentracing.SpanFromContext(r.Context()).Context()
						before = w.Header().Get(name)
						id = "00-" + carrier.TraceID(sc) + "-" + carrier.SpanID(sc) + "-" + tt.flags
					}))
					got := handle(h, "GET", "/").Header().Values(name)
					want := id
					switch name {
					case "server-timing":
						want = `traceparent;desc="` + id + `"`
					case "X-Trace-Id":
						want = id[3:35]
					}
					if len(id) != 55 || len(got) != 1 || got[0] != want || before != want {
						t.Errorf("%s %q = %q, for the handler %q, want %q", tt.flags, name, got, before, want)
					}
				})
			}
		})
	}
}

// TestTraceIDHeaderBeforeSampling is decided: it says what trace headers to other services say.
func TestTraceIDHeaderBeforeSampling(t *testing.T) {
	tracer, _ := newJaeger(t, undecided{})
	h := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("traceresponse"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := http.Header{}
		span := opentracing.SpanFromContext(r.Context())
		tracer.Inject(span.Context(), opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(sent))
		if got := w.Header().Get("traceresponse"); got != sent.Get("traceparent") || !strings.HasSuffix(got, "-00") {
			t.Errorf("traceresponse %q, traceparent %q", got, sent.Get("traceparent"))
		}
	}))
	handle(h, "GET", "/")
}

// undecided is a sampler that never makes up its mind.
type undecided struct{ jaeger.SamplerV2Base }

var later = jaeger.SamplingDecision{Retryable: true}

func (undecided) OnCreateSpan(*jaeger.Span) jaeger.SamplingDecision               { return later }
func (undecided) OnSetOperationName(*jaeger.Span, string) jaeger.SamplingDecision { return later }
func (undecided) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision      { return later }
func (undecided) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision               { return later }

// TestServerTimingBesideOthers, from outside and inside.
func TestServerTimingBesideOthers(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	inner := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("Server-Timing"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Server-Timing", "db;dur=3")
	}))
	got := handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Server-Timing", "edge;dur=1")
		inner.ServeHTTP(w, r)
	}), "GET", "/").Header()["Server-Timing"]
	if len(got) != 3 || got[0] != "edge;dur=1" || !strings.HasPrefix(got[1], "traceparent;desc=") || got[2] != "db;dur=3" {
		t.Errorf("Server-Timing %q", got)
	}
}

func TestNoTraceIDHeader(t *testing.T) {
	engine, _ := newJaeger(t, always)
	public := httpmw.WithPublicEndpoint(func(*http.Request) bool { return true })
	for _, name := range []string{"traceresponse", "Server-Timing", "X-Trace-Id"} {
		t.Run(name, func(t *testing.T) {
			for what, use := range map[string]mw{
				"public":      httpmw.Middleware(engine, httpmw.WithTraceIDHeader(name), public),
				"unknown ids": httpmw.Middleware(spantest.New(t), httpmw.WithTraceIDHeader(name)),
				"no-op":       httpmw.Middleware(opentracing.NoopTracer{}, httpmw.WithTraceIDHeader(name)),
				"not traced":  httpmw.Middleware(engine, httpmw.WithTraceIDHeader(name), httpmw.WithFilter(func(*http.Request) bool { return false })),
			} {
				t.Run(what, func(t *testing.T) {
					if h := handle(use(http.HandlerFunc(ok)), "GET", "/").Header(); len(h) != 0 {
						t.Errorf("%v", h)
					}
				})
			}
		})
	}
}

// identified is a tracer whose contexts return their ids as strings, and whose spans report whether they record.
type identified struct {
	opentracing.NoopTracer
	sampled bool
}

type identifiedSpan struct {
	opentracing.Span
	tracer *identified
}

type identifiedContext struct{ opentracing.SpanContext }

func (i *identified) StartSpan(string, ...opentracing.StartSpanOption) opentracing.Span {
	return identifiedSpan{opentracing.NoopTracer{}.StartSpan(""), i}
}

func (s identifiedSpan) IsRecording() bool                { return s.tracer.sampled }
func (s identifiedSpan) Tracer() opentracing.Tracer       { return s.tracer }
func (s identifiedSpan) Context() opentracing.SpanContext { return identifiedContext{} }
func (identifiedContext) TraceID() string                 { return "4bf92f3577b34da6a3ce929d0e0e4736" }
func (identifiedContext) SpanID() string                  { return "f067aa0ba902b7" }

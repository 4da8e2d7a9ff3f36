package httpmw_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// faulty is a tracer that panics at one of its methods, or at one of its spans'.
type faulty struct {
	*spantest.Tracer
	at string
}

type faultySpan struct {
	opentracing.Span
	f *faulty
}

func (f *faulty) fail(at string) {
	if at == f.at {
		panic("faulty " + at)
	}
}

func (f *faulty) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	f.fail("StartSpan")
	return &faultySpan{f.Tracer.StartSpan(name, opts...), f}
}

func (f *faulty) Extract(format, carrier any) (opentracing.SpanContext, error) {
	f.fail("Extract")
	return f.Tracer.Extract(format, carrier)
}

func (s *faultySpan) SetTag(key string, value any) opentracing.Span {
	s.f.fail("SetTag " + key)
	s.Span.SetTag(key, value)
	return s
}

func (s *faultySpan) SetOperationName(name string) opentracing.Span {
	s.f.fail("SetOperationName")
	s.Span.SetOperationName(name)
	return s
}

func (s *faultySpan) Context() opentracing.SpanContext {
	s.f.fail("Context")
	return s.Span.Context()
}

func (s *faultySpan) BaggageItem(key string) string {
	s.f.fail("BaggageItem")
	return s.Span.BaggageItem(key)
}

func (s *faultySpan) Tracer() opentracing.Tracer {
	s.f.fail("Tracer")
	return s.f
}

// Faulty tracers fail no request, and every span that was started ends.
func TestFaultyTracersFailNoRequest(t *testing.T) {
	for _, at := range []string{
		"StartSpan", "Extract", "SetTag component", "SetTag http.method", "SetTag http.status_code", "SetTag error", "SetOperationName",
		"Context", "BaggageItem", "Tracer",
	} {
		for name, h := range map[string]http.HandlerFunc{
			"500":   func(w http.ResponseWriter, r *http.Request) { httpmw.SetRoute(r, "/a"); w.WriteHeader(500) },
			"panic": func(w http.ResponseWriter, r *http.Request) { httpmw.SetRoute(r, "/a"); panic("mine") },
		} {
			t.Run(at+", "+name, func(t *testing.T) {
				tracer := &faulty{spantest.New(t), at}
				m := httpmw.Middleware(tracer, httpmw.WithTraceIDHeader("X-Trace-Id"), httpmw.WithProfilingLabels(), httpmw.WithBaggageTags("k"))
				w := httptest.NewRecorder()
				var got any
				func() {
					defer func() { got = recover() }()
					m(h).ServeHTTP(w, request("GET", "/a"))
				}()
				if name == "panic" && got != "mine" || name == "500" && (got != nil || w.Code != 500) {
					t.Errorf("status %d, panic %v", w.Code, got)
				}
				want := 1
				if at == "StartSpan" || at == "Extract" {
					want = 0
				}
				if n := len(tracer.Finished()); n != want {
					t.Errorf("%d spans, want %d", n, want)
				}
			})
		}
	}
}

// headless is a writer without a header map.
type headless struct{ http.ResponseWriter }

func (headless) Header() http.Header { return nil }

// TestHooksThatPanic, all at once, change nothing, and are counted.
func TestHooksThatPanic(t *testing.T) {
	tracer := spantest.New(t)
	yes := func(*http.Request) bool { panic("predicate") }
	m := httpmw.Middleware(tracer,
		httpmw.WithFilter(yes), httpmw.WithPublicEndpoint(yes), httpmw.WithSilence(yes),
		httpmw.WithOperationName(func(*http.Request, string) string { panic("name") }),
		httpmw.WithURLRedaction(func(*url.URL) string { panic("redact") }),
		httpmw.WithErrorPolicy(func(*http.Request, bool, int) bool { panic("policy") }),
		httpmw.WithObserver(&panicking2{}), httpmw.WithOutcome(func(opentracing.Span, *http.Request, *httpmw.Outcome) { panic("hook") }),
		httpmw.WithTags(opentracing.Tag{Key: "bad", Value: badText{}}), httpmw.WithTraceIDHeader("X-Trace-Id"),
		httpmw.WithHeaderTags([]string{"A"}, []string{"B"}),
	)
	h := m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }))
	w := httptest.NewRecorder()
	h.ServeHTTP(headless{w}, request("GET", "/a"))
	span := oneDespitePanics(t, tracer)
	if n, _ := span.Tag("spanloom.hook_panics").(int); w.Code != 503 || n < 8 || span.OperationName != "GET" {
		t.Errorf("status %d, %d panics, name %q", w.Code, n, span.OperationName)
	}
	wantTags(t, span, map[string]any{"error": true, "http.status_code": uint16(503)})
}

type panicking2 struct{}

func (*panicking2) Started(*http.Request)                                  { panic("started") }
func (*panicking2) Ended(*http.Request, opentracing.Span, *httpmw.Outcome) { panic("ended") }

type badText struct{}

func (badText) String() string { panic("text") }

// TestPanicsWithBadValues go on as they are.
func TestPanicsWithBadValues(t *testing.T) {
	for name, value := range map[string]any{"text": badText{}, "error": badError{}, "nil error": error((*url.Error)(nil)), "incomparable": []int{1}} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			defer func() {
				if got := recover(); fmt.Sprintf("%T", got) != fmt.Sprintf("%T", value) {
					t.Errorf("panic with %T, want %T", got, value)
				}
				wantTags(t, one(t, tracer), map[string]any{"error": true, "error.type": "panic"})
			}()
			httpmw.Middleware(tracer)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(value) })).
				ServeHTTP(httptest.NewRecorder(), request("GET", "/"))
		})
	}
}

type badError struct{}

func (badError) Error() string { panic("error") }
func (badError) Unwrap() error { panic("unwrap") }

// TestContextsPrintNoState: other goroutines write to it, and a log is no place for it.
func TestContextsPrintNoState(t *testing.T) {
	type key struct{}
	for name, parent := range map[string]context.Context{
		"own": t.Context(), "value": context.WithValue(context.Background(), key{}, 1), "foreign": foreignCtx{context.Background(), "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			served(t, func(w http.ResponseWriter, r *http.Request) {
				ctx := context.WithValue(r.Context(), key{}, 2)
				for _, text := range []string{fmt.Sprint(r.Context()), fmt.Sprintf("%+v", r.Context()), fmt.Sprintf("%#v", r.Context()), fmt.Sprint(ctx)} {
					if len(text) > 200 || len(text) == 0 {
						t.Errorf("%q", text)
					}
				}
				if got := fmt.Sprint(r.Context()); name == "value" && got != fmt.Sprint(parent)+".WithSpan" {
					t.Errorf("%q", got)
				}
			}, request("GET", "/").WithContext(parent))
		})
	}
}

type foreignCtx struct {
	context.Context
	secret string
}

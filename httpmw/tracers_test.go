package httpmw_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
)

// seen is a finished span of any tracer.
type seen struct {
	name, id, parent string
	tags             map[string]any
}

// eachTracer runs f against a mock, our tracer, jaeger-client-go alone, and a tracer that only knows the plain OpenTracing contract.
func eachTracer(t *testing.T, f func(t *testing.T, tracer opentracing.Tracer, spans func() []seen)) {
	t.Run("mock", func(t *testing.T) {
		tracer := spantest.New(t)
		f(t, tracer, func() (all []seen) {
			for _, s := range tracer.Finished() {
				all = append(all, seen{s.OperationName, strconv.Itoa(s.SpanContext.SpanID), strconv.Itoa(s.ParentID), s.Tags()})
			}
			return all
		})
	})
	for _, name := range []string{"ours", "stock"} {
		t.Run(name, func(t *testing.T) {
			tracer, reporter := newJaeger(t, always)
			if name == "stock" {
				tracer = stock(t, always, reporter)
			}
			f(t, tracer, func() (all []seen) {
				for _, s := range reporter.GetSpans() {
					s := s.(*jaeger.Span)
					sc := s.SpanContext()
					all = append(all, seen{s.OperationName(), sc.SpanID().String(), sc.ParentID().String(), s.Tags()})
				}
				return all
			})
		})
	}
	t.Run("foreign", func(t *testing.T) {
		tracer := &foreign{}
		f(t, tracer, tracer.finished)
		for _, s := range tracer.spans {
			if s.finishes != 1 {
				t.Errorf("span %q was finished %d times", s.name, s.finishes)
			}
		}
	})
}

func TestEveryTracerMakesOneChainOfSpans(t *testing.T) {
	eachTracer(t, func(t *testing.T, tracer opentracing.Tracer, spans func() []seen) {
		client := httpmw.Transport(tracer, roundTripper(func(r *http.Request) (*http.Response, error) {
			in := httptest.NewRequest("GET", "/shop/items/5", nil) // arrives over the wire
			in.Header = r.Header
			w := httptest.NewRecorder()
			api([]mw{httpmw.Middleware(tracer)}, nil).ServeHTTP(w, in)
			return w.Result(), nil
		}))
		front := api([]mw{httpmw.Middleware(tracer)}, nil)
		front.Get("/front/{id}", func(w http.ResponseWriter, r *http.Request) {
			resp, err := client.RoundTrip(newGet(httpmw.ContextWithRoute(r.Context(), "/shop/{rest}"), "http://shop.example/shop/items/5"))
			if err != nil {
				t.Error(err)
				return
			}
			io.ReadAll(resp.Body)
			resp.Body.Close()
			w.WriteHeader(http.StatusBadGateway)
		})
		handle(front, "GET", "/front/1")
		handle(front, "GET", "/nowhere")

		all := spans()
		if len(all) != 4 {
			t.Fatalf("%d spans, want 4: %v", len(all), all)
		}
		back, call, root, lost := all[0], all[1], all[2], all[3]
		if back.name != "GET /shop/items/{item}" || call.name != "GET /shop/{rest}" || root.name != "GET /front/{id}" || lost.name != "GET" {
			t.Errorf("names %q, %q, %q, %q", back.name, call.name, root.name, lost.name)
		}
		if back.parent != call.id || call.parent != root.id || lost.parent == root.id {
			t.Errorf("not a chain: %v", all)
		}
		if root.tags["error"] != true || root.tags["http.status_code"] != uint16(502) || lost.tags["error"] != nil ||
			fmt.Sprint(call.tags["span.kind"]) != "client" || fmt.Sprint(back.tags["span.kind"]) != "server" {
			t.Errorf("tags %v", all)
		}
	})
}

// TestBaggageThatCannotBeSent: tracers without our propagator put any baggage into headers, and net/http refuses
// requests with such ones.
func TestBaggageThatCannotBeSent(t *testing.T) {
	stock, closer := jaeger.NewTracer("stock", always, jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	engine, _ := newJaeger(t, always)
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mine") != "1" || r.Header.Get("Evil") != "" {
			t.Errorf("headers %v", r.Header)
		}
	}))
	for name, tracer := range map[string]opentracing.Tracer{"stock": stock, "engine": engine, "mock": mocktracer.New()} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"a key", "käy", "k\r\nEvil: 1", ""} {
				t.Run(fmt.Sprintf("%q", key), func(t *testing.T) {
					span := testspans.Start(t, tracer, "job").SetBaggageItem(key, "v\r\nEvil: 1")
					r, _ := http.NewRequestWithContext(opentracing.ContextWithSpan(t.Context(), span), "GET", srv.URL, nil)
					r.Header.Set("Mine", "1")
					resp, err := httpmw.Client(tracer, srv.Client()).Do(r)
					if err != nil {
						t.Errorf("baggage %q: %v", key, err)
						return
					}
					resp.Body.Close()
				})
			}
		})
	}
}

// foreign is a tracer of its own kind, and strict: references that are not its own make it panic.
type foreign struct {
	mu    sync.Mutex
	ids   int
	spans []*foreignSpan
	done  []seen
}

type foreignContext struct{ id int }

func (foreignContext) ForeachBaggageItem(func(k, v string) bool) {}

type foreignSpan struct {
	tracer   *foreign
	id       int
	parent   int
	name     string
	tags     map[string]any
	finishes int
}

func (f *foreign) finished() []seen { return f.done }

func (f *foreign) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	var o opentracing.StartSpanOptions
	for _, opt := range opts {
		opt.Apply(&o)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids++
	s := &foreignSpan{tracer: f, id: f.ids, name: name, tags: o.Tags} // keeps the map it is given
	for _, ref := range o.References {
		s.parent = ref.ReferencedContext.(foreignContext).id
	}
	f.spans = append(f.spans, s)
	return s
}

func (f *foreign) Inject(sc opentracing.SpanContext, format, carrier any) error {
	carrier.(opentracing.TextMapWriter).Set("Foreign-Id", strconv.Itoa(sc.(foreignContext).id))
	return nil
}

func (f *foreign) Extract(format, carrier any) (sc opentracing.SpanContext, err error) {
	err = opentracing.ErrSpanContextNotFound
	carrier.(opentracing.TextMapReader).ForeachKey(func(k, v string) error {
		if id, e := strconv.Atoi(v); k == "Foreign-Id" && e == nil {
			sc, err = foreignContext{id}, nil
		}
		return nil
	})
	return sc, err
}

func (s *foreignSpan) FinishWithOptions(opentracing.FinishOptions) { s.Finish() }
func (s *foreignSpan) Finish() {
	s.tracer.mu.Lock()
	defer s.tracer.mu.Unlock()
	s.finishes++
	s.tracer.done = append(s.tracer.done, seen{s.name, strconv.Itoa(s.id), strconv.Itoa(s.parent), s.tags})
}

func (s *foreignSpan) SetTag(key string, value any) opentracing.Span {
	s.tags[key] = value
	return s
}

func (s *foreignSpan) SetOperationName(name string) opentracing.Span {
	s.name = name
	return s
}

func (s *foreignSpan) Context() opentracing.SpanContext               { return foreignContext{s.id} }
func (s *foreignSpan) Tracer() opentracing.Tracer                     { return s.tracer }
func (s *foreignSpan) LogFields(...log.Field)                         {}
func (s *foreignSpan) LogKV(...any)                                   {}
func (s *foreignSpan) SetBaggageItem(string, string) opentracing.Span { return s }
func (s *foreignSpan) BaggageItem(string) string                      { return "" }
func (s *foreignSpan) LogEvent(string)                                {}
func (s *foreignSpan) LogEventWithPayload(string, any)                {}
func (s *foreignSpan) Log(opentracing.LogData)                        {}

package grpcmw_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
	"github.com/spanloom/spanloom/tracerinit"
)

// eachTracer runs f against a mock, our tracer, jaeger-client-go alone, and a tracer that only knows the plain
// OpenTracing contract.
func eachTracer(t *testing.T, f func(t *testing.T, tracer opentracing.Tracer)) {
	t.Run("mock", func(t *testing.T) { f(t, spantest.New(t)) })
	t.Run("ours", func(t *testing.T) { f(t, ours(t)) })
	t.Run("stock", func(t *testing.T) {
		tracer, _ := stock(t)
		f(t, tracer)
	})
	t.Run("foreign", func(t *testing.T) { f(t, newForeign(t)) })
}

// engine is our tracer, and what it reports.
func engine(t testing.TB, sampler tracerinit.Sampler) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	reporter := jaeger.NewInMemoryReporter()
	return reportTo(t, sampler, reporter), reporter
}

// stock is jaeger-client-go with our propagator alone.
func stock(t testing.TB) (opentracing.Tracer, *jaeger.InMemoryReporter) {
	t.Helper()
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), reporter, append(p.TracerOptions(), testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer, reporter
}

// foreign is a tracer of its own kind. What it injects is more than gRPC can send.
type foreign struct {
	mu    sync.Mutex
	ids   int
	spans []*foreignSpan
}

func newForeign(t testing.TB) *foreign {
	f := &foreign{}
	t.Cleanup(func() {
		eventually(f.quiet)
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, s := range f.spans {
			if s.finishes != 1 {
				t.Errorf("span %q was finished %d times", s.name, s.finishes)
			}
		}
	})
	return f
}

// quiet reports whether no span is open. Handlers of cancelled RPCs may outlive their server.
func (f *foreign) quiet() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(f.spans, func(s *foreignSpan) bool { return s.finishes == 0 })
}

// eventually waits until ok holds, for a bounded time.
func eventually(ok func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 60_000 {
		if ok() {
			return true
		}
		<-tick.C
	}
	return false
}

type foreignContext struct{ id, parent int }

func (foreignContext) ForeachBaggageItem(func(k, v string) bool) {}

type foreignSpan struct {
	tracer   *foreign
	sc       foreignContext
	name     string
	tags     map[string]any
	finishes int
}

func (f *foreign) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	var o opentracing.StartSpanOptions
	for _, opt := range opts {
		opt.Apply(&o)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids++
	s := &foreignSpan{tracer: f, name: name, sc: foreignContext{id: f.ids}, tags: o.Tags}
	for _, ref := range o.References {
		s.sc.parent = ref.ReferencedContext.(foreignContext).id
	}
	f.spans = append(f.spans, s)
	return s
}

func (f *foreign) Inject(sc opentracing.SpanContext, format, carrier any) error {
	w, ok := carrier.(opentracing.TextMapWriter)
	if !ok || format != opentracing.HTTPHeaders {
		return opentracing.ErrInvalidCarrier
	}
	w.Set("Foreign-Id", strconv.Itoa(sc.(foreignContext).id))
	w.Set("foreign user:id", "illegal key")
	w.Set("foreign-name", "illegal välue\n")
	w.Set("", "no key")
	return nil
}

func (f *foreign) Extract(format, carrier any) (opentracing.SpanContext, error) {
	r, ok := carrier.(opentracing.TextMapReader)
	if !ok || format != opentracing.HTTPHeaders {
		return nil, opentracing.ErrInvalidCarrier
	}
	sc := foreignContext{}
	err := r.ForeachKey(func(k, v string) (err error) {
		if k == "foreign-id" {
			sc.id, err = strconv.Atoi(v)
		}
		return err
	})
	if err != nil || sc.id == 0 {
		return nil, opentracing.ErrSpanContextNotFound
	}
	return sc, nil
}

func (s *foreignSpan) lock() func() { s.tracer.mu.Lock(); return s.tracer.mu.Unlock }

func (s *foreignSpan) Finish()                                           { s.FinishWithOptions(opentracing.FinishOptions{}) }
func (s *foreignSpan) FinishWithOptions(o opentracing.FinishOptions)     { defer s.lock()(); s.finishes++ }
func (s *foreignSpan) Context() opentracing.SpanContext                  { return s.sc }
func (s *foreignSpan) SetOperationName(name string) opentracing.Span     { return s }
func (s *foreignSpan) LogFields(...log.Field)                            {}
func (s *foreignSpan) LogKV(...any)                                      {}
func (s *foreignSpan) SetBaggageItem(key, value string) opentracing.Span { return s }
func (s *foreignSpan) BaggageItem(string) string                         { return "" }
func (s *foreignSpan) Tracer() opentracing.Tracer                        { return s.tracer }
func (s *foreignSpan) LogEvent(string)                                   {}
func (s *foreignSpan) LogEventWithPayload(string, any)                   {}
func (s *foreignSpan) Log(opentracing.LogData)                           {}
func (s *foreignSpan) SetTag(key string, value any) opentracing.Span {
	defer s.lock()()
	if _, ok := s.tags[key]; ok {
		panic(fmt.Sprintf("tag %s set twice", key))
	}
	s.tags[key] = value
	return s
}

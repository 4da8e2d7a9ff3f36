package rpcspan_test

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/engine"
	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/testspans"
)

// views is another API that looks up spans by otherKey.
type views struct {
	reporter *jaeger.InMemoryReporter
	closed   int // how many spans were reported when a view was closed
}

type otherKey struct{}
type extraKey struct{}

func (v *views) View(j *jaeger.Span) engine.View { return &view{Span: j, views: v} }
func (v *views) Value(key any, w engine.View) any {
	if key == (otherKey{}) {
		return w
	}
	return nil
}

func (v *views) Context(ctx context.Context, _ engine.View) context.Context {
	return context.WithValue(ctx, extraKey{}, true)
}

type view struct {
	opentracing.Span
	views      *views
	distrusted opentracing.SpanContext
}

func (v *view) Close() []opentracing.LogRecord {
	v.views.closed = v.views.reporter.SpansSubmitted()
	return []opentracing.LogRecord{{}}
}
func (v *view) Distrust(caller opentracing.SpanContext) { v.distrusted = caller }
func (v *view) Unwrap() opentracing.Span                { return v.Span }

// viewed is a tracer whose spans have views.
type viewed struct {
	*jaeger.Tracer
	engine engine.Engine
}

func (t *viewed) Engine() *engine.Engine { return &t.engine }

func newViewed(t *testing.T) (*viewed, *views) {
	t.Helper()
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	v := &views{reporter: jaeger.NewInMemoryReporter(), closed: -1}
	sampler := jaeger.NewConstSampler(true)
	tracer, closer := jaeger.NewTracer("shop", sampler, v.reporter, append(p.TracerOptions(), testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	o := &viewed{Tracer: tracer.(*jaeger.Tracer)}
	o.engine = engine.Engine{
		Owner: o, Tracer: o.Tracer, Sampler: sampler, Reporter: v.reporter, Propagator: p, Views: v,
		Disabled: &atomic.Bool{}, Started: &atomic.Uint64{}, Finished: &atomic.Uint64{},
	}
	return o, v
}

func TestSpanIsSeenThroughItsView(t *testing.T) {
	tracer, views := newViewed(t)
	o := &own{Context: t.Context()}
	o.span.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	seen, isView := o.span.OpenTracingSpan().(*view)
	if !isView || opentracing.SpanFromContext(o) != seen || o.Value(otherKey{}) != any(seen) {
		t.Errorf("span %T, by OpenTracing's key %v, by the other API's %v", o.span.OpenTracingSpan(),
			opentracing.SpanFromContext(o), o.Value(otherKey{}))
	}
	if o.span.TracerContext(o).Value(extraKey{}) != true {
		t.Error("the context lacks what the other API adds")
	}
	active := rpcspan.Active(o)
	self := o.span.Parent()
	if _, ok := active.Jaeger(); !ok || !active.SameTrace(&self) {
		t.Errorf("active span %v, want %v", active.Context(), self.Context())
	}
	o.span.Rename("op", "GET /")
	if o.span.Link(&self); !reflect.DeepEqual(seen.distrusted, self.Context()) {
		t.Errorf("distrusted %v, want %v", seen.distrusted, self.Context())
	}
	o.span.Finish(time.Time{}, nil, nil)
	if views.closed != 0 || views.reporter.SpansSubmitted() != 1 {
		t.Errorf("closed after %d of %d spans were reported, want before", views.closed, views.reporter.SpansSubmitted())
	}
	if got := views.reporter.GetSpans()[0].(*jaeger.Span); got.OperationName() != "GET /" || len(got.Logs()) != 1 {
		t.Errorf("name %q, want GET /; %d logs, want that of the view", got.OperationName(), len(got.Logs()))
	}
}

// The state of every request embeds a Span. Views must not cost requests without them a larger size class.
func TestSpanHasNotGrownAlloc(t *testing.T) {
	if size := reflect.TypeFor[rpcspan.Span]().Size(); size > 72 {
		t.Errorf("%d bytes, want at most 72", size)
	}
}

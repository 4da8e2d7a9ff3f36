package rpcspan_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/rpcspan"
	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/spantest"
)

var time0 time.Time

var kind = rpcspan.NewStartTags(ext.SpanKindRPCServerEnum)

// own is a context that answers for its span itself, as httpmw's requests do.
type own struct {
	context.Context
	span rpcspan.Span
}

func (o *own) Value(key any) any {
	if v := o.span.Value(key); v != nil {
		return v
	}
	return o.Context.Value(key)
}

type belowKey struct{}

func active(ctx context.Context) bool {
	p := rpcspan.Active(ctx)
	return p.IsValid()
}

func TestContextAnswersForItsSpan(t *testing.T) {
	tracer := spantest.New(t)
	o := &own{Context: t.Context()}
	if opentracing.SpanFromContext(o) != nil {
		t.Error("a span before Start")
	}
	o.span.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	defer o.span.Finish(time0, nil, nil)
	below := context.WithValue(o, belowKey{}, 1)
	if got := opentracing.SpanFromContext(below); got != o.span.OpenTracingSpan() {
		t.Errorf("active span %v, want the one that was started", got)
	}
	if !active(below) || active(t.Context()) {
		t.Error("Active must tell the span's context, or nil")
	}
	noop := opentracing.ContextWithSpan(t.Context(), opentracing.NoopTracer{}.StartSpan(""))
	if active(noop) {
		t.Error("a span that does nothing is no parent")
	}
}

// A tracer with a clock of its own must not get a start by one clock and an end by the other.
func TestTracersKeepTheirClocks(t *testing.T) {
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("x", jaeger.NewConstSampler(true), reporter, jaeger.TracerOptions.TimeNow(func() time.Time { return then }), testspans.Finished(t))
	defer closer.Close()
	var s rpcspan.Span
	s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	s.Finish(time.Time{}, nil, nil)
	if got := reporter.GetSpans()[0].(*jaeger.Span); !got.StartTime().Equal(then) || got.Duration() != 0 {
		t.Errorf("started %v, lasted %v", got.StartTime(), got.Duration())
	}
}

func TestZeroSpanDoesNothing(t *testing.T) {
	var s rpcspan.Span
	s.SetTag("k", 1)
	s.Fail("x", "y", nil)
	s.Panicked("z", &rpcspan.Tags{Span: &s})
	s.Rename("a", "b")
	s.Link(&rpcspan.Parent{})
	s.LinkTo(nil)
	if s.TryFinish() || s.Recording() || s.Started() || s.Context(t.Context()) != t.Context() || s.TracerContext(t.Context()) != t.Context() {
		t.Error("a span that was not started did something")
	}
}

func TestASpanEndsOnce(t *testing.T) {
	var s rpcspan.Span
	s.Start(spantest.New(t), &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if s.TryFinish() {
				s.Finish(time0, nil, nil)
			}
		})
	}
	wg.Wait()
}

func TestRenameLeavesNamesOfTheUser(t *testing.T) {
	tracer := spantest.New(t)
	for _, byUser := range []bool{false, true} {
		var s rpcspan.Span
		s.Start(tracer, &rpcspan.StartInfo{Name: "GET", StartTags: kind}, &rpcspan.Parent{})
		if byUser {
			s.OpenTracingSpan().SetOperationName("mine")
		}
		s.Rename("GET", "GET /x")
		s.Finish(time0, nil, nil)
	}
	spans := tracer.Finished()
	if spans[0].OperationName != "GET /x" || spans[1].OperationName != "mine" {
		t.Errorf("names %q and %q", spans[0].OperationName, spans[1].OperationName)
	}
}

type badString struct{}

func (badString) String() string { panic("no string") }

func TestPanicsAreRecordedWithinBounds(t *testing.T) {
	tracer := spantest.New(t)
	for _, value := range []any{errors.New("boom"), strings.Repeat("x", 1<<20), badString{}} {
		var s rpcspan.Span
		s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
		l := rpcspan.Tags{Span: &s}
		s.Panicked(value, &l)
		l.Flush()
		s.Finish(time0, nil, nil)
	}
	for _, span := range tracer.Finished() {
		if span.Tag("error") != true || span.Tag("error.type") != "panic" || len(span.Logs()) != 1 {
			t.Errorf("tags %v, %d logs", span.Tags(), len(span.Logs()))
		}
		for _, f := range span.Logs()[0].Fields {
			if len(f.ValueString) > 9<<10 {
				t.Errorf("field %s has %d bytes", f.Key, len(f.ValueString))
			}
		}
	}
}

func TestPanicsOfHooksAreContained(t *testing.T) {
	tracer := spantest.New(t)
	var s rpcspan.Span
	s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	for range 2 {
		func() {
			defer s.RecoverHook()
			panic("hook")
		}()
	}
	s.Finish(time0, nil, nil)
	if got := tracer.Finished()[0].Tag("spanloom.hook_panics"); got != 2 {
		t.Errorf("hook panics %v, want 2", got)
	}
}

// TestPassOnInParallel: children that start at once must not share the sampling state of a remote parent.
func TestPassOnInParallel(t *testing.T) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(false), reporter, testspans.Finished(t))
	defer closer.Close()
	h := http.Header{"Uber-Trace-Id": {"1:2:0:1"}, "Uberctx-K": {"v"}}
	caller := rpcspan.Remote(tracer, opentracing.HTTPHeadersCarrier(h))
	ctx := rpcspan.ContextWithParent(t.Context(), tracer, &caller)
	if got := opentracing.SpanFromContext(ctx).BaggageItem("k"); got != "v" {
		t.Errorf("baggage %q", got)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			span, _ := opentracing.StartSpanFromContextWithTracer(ctx, tracer, "child")
			span.Finish()
		})
	}
	wg.Wait()
	for _, span := range reporter.GetSpans() {
		if sc := span.Context().(jaeger.SpanContext); sc.TraceID().Low != 1 || sc.ParentID() != 2 {
			t.Errorf("child %v, want parent 2 in trace 1", sc)
		}
	}
	if reporter.SpansSubmitted() != 8 {
		t.Errorf("%d spans, want 8", reporter.SpansSubmitted())
	}
}

func TestSilentSpansAreNotReported(t *testing.T) {
	reporter := jaeger.NewInMemoryReporter()
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), reporter, testspans.Finished(t))
	defer closer.Close()
	var s rpcspan.Span
	s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind.Unsampled()}, &rpcspan.Parent{})
	if s.Recording() {
		t.Error("a silent span wants tags")
	}
	tracer.StartSpan("child", opentracing.ChildOf(s.OpenTracingSpan().Context())).Finish()
	s.Finish(time0, nil, nil)
	if reporter.SpansSubmitted() != 0 {
		t.Error("a silent span or its child was reported")
	}
}

func TestTagsAreAllSet(t *testing.T) {
	tracer := spantest.New(t)
	var s rpcspan.Span
	s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
	l := rpcspan.Tags{Span: &s, UserKeys: map[string]bool{"3": true}}
	for i := range 27 {
		l.Set(strconv.Itoa(i), i)
	}
	s.Finish(time0, nil, &l)
	got := tracer.Finished()[0].Tags()
	delete(got, "span.kind")
	for i := range 27 {
		if _, set := got[strconv.Itoa(i)]; set == (i == 3) {
			t.Errorf("tag %d set: %t", i, set)
		}
	}
	if len(got) != 26 {
		t.Errorf("%d tags", len(got))
	}
}

func TestTracesAreComparedByTheirIDs(t *testing.T) {
	mock := spantest.New(t)
	tracer, closer := jaeger.NewTracer("test", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), testspans.Finished(t))
	defer closer.Close()
	parent := func(t opentracing.Tracer, parents ...opentracing.StartSpanOption) rpcspan.Parent {
		span := t.StartSpan("x", parents...)
		defer span.Finish()
		return rpcspan.Active(opentracing.ContextWithSpan(context.Background(), span))
	}
	a := parent(tracer)
	child, other := parent(tracer, opentracing.ChildOf(a.Context())), parent(tracer)
	if m, n := parent(mock), parent(mock); m.SameTrace(&n) || !a.SameTrace(&child) || a.SameTrace(&other) {
		t.Error("traces are taken for others")
	}
}

func TestEveryTracerGetsTheEndTime(t *testing.T) {
	for _, logs := range [][]opentracing.LogRecord{nil, {{Timestamp: time.Now()}}} {
		t.Run(fmt.Sprintf("%d logs", len(logs)), func(t *testing.T) {
			tracer := mocktracer.New()
			var s rpcspan.Span
			s.Start(tracer, &rpcspan.StartInfo{Name: "op", StartTags: kind}, &rpcspan.Parent{})
			s.Finish(time0, logs, nil)
			if got := tracer.FinishedSpans()[0]; got.FinishTime.Before(got.StartTime) {
				t.Errorf("%d logs: ended %v, started %v", len(logs), got.FinishTime, got.StartTime)
			}
		})
	}
}

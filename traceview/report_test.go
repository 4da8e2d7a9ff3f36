package traceview

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/testspans"
)

func tracerOf(t testing.TB, service string, view *View, opts ...jaeger.TracerOption) opentracing.Tracer {
	tracer, closer := jaeger.NewTracer(service, jaeger.NewConstSampler(true), view, append(opts, testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer
}

func TestReportedSpansAreSeenAtOnce(t *testing.T) {
	v := New(Config{})
	shop := tracerOf(t, "shop", v, jaeger.TracerOptions.Gen128Bit(true), jaeger.TracerOptions.Tag("version", "1.2"))
	stock := tracerOf(t, "stock", v, jaeger.TracerOptions.Gen128Bit(true))
	parent := shop.StartSpan("GET /")
	child := stock.StartSpan("check", opentracing.ChildOf(parent.Context()), opentracing.Tag{Key: "count", Value: 7})
	child.LogFields(log.Event("asked"))
	child.Finish()
	parent.Finish()

	sc := parent.Context().(jaeger.SpanContext)
	snap, ok := v.store.get(model.TraceID{})
	if ok {
		t.Fatalf("a trace without id: %+v", snap)
	}
	page := get(t, v, "/debug/traces/api/traces/"+sc.TraceID().String())
	for _, want := range []string{`"serviceName":"shop"`, `"serviceName":"stock"`, `"operationName":"check"`, `{"key":"version","type":"string","value":"1.2"}`,
		`{"key":"count","type":"int64","value":7}`, `"refType":"CHILD_OF"`, `"value":"asked"`} {
		contains(t, page, want)
	}
}

func TestFullQueueIsCountedAndDoesNotBlock(t *testing.T) {
	v := New(Config{})
	tracer := tracerOf(t, "shop", v, jaeger.TracerOptions.PoolSpans(true))
	v.drainMu.Lock() // the worker is stuck
	for range queueSize + 100 {
		tracer.StartSpan("op").Finish()
	}
	v.drainMu.Unlock()
	contains(t, get(t, v, "/debug/traces/"), "lost to a full queue")
	lost := int(v.overflow.Load())
	if got := v.store.totals.received; lost == 0 || got+lost != queueSize+100 {
		t.Errorf("%d received + %d lost, want %d", got, lost, queueSize+100)
	}
}

func TestCloseKeepsEverythingAndTheViewGoesOn(t *testing.T) {
	v := New(Config{})
	tracer := tracerOf(t, "shop", v)
	tracer.StartSpan("one").Finish()
	v.Close()
	if v.store.totals.received != 1 || v.working.Load() {
		t.Fatalf("after Close: %d spans stored, worker runs: %v", v.store.totals.received, v.working.Load())
	}
	v.Close()
	tracer.StartSpan("two").Finish() // a second tracer may still report
	contains(t, get(t, v, "/debug/traces/"), "two")
	v.Close()
	contains(t, get(t, v, "/debug/traces/"), "one")
}

func TestReportOfManyAtOnce(t *testing.T) {
	v := New(Config{})
	var wg sync.WaitGroup
	for g := range 8 {
		tracer := tracerOf(t, fmt.Sprint("service", g), v)
		wg.Go(func() {
			for range 300 {
				span := tracer.StartSpan("op")
				span.SetTag("k", "v")
				span.Finish()
				span.SetTag("late", true)
			}
		})
		wg.Go(func() {
			for range 10 {
				call(v, "GET", "/debug/traces/", nil)
			}
			v.Close()
		})
	}
	wg.Wait()
	v.Close()
	if n := v.store.totals.received + int(v.overflow.Load()); n != 8*300 {
		t.Errorf("%d spans are accounted for, want %d", n, 8*300)
	}
	check(t, v)
}

func TestHugeTagsAreCut(t *testing.T) {
	v := New(Config{})
	span := tracerOf(t, "shop", v).StartSpan("op")
	span.SetTag("huge", strings.Repeat("x", 1<<20))
	for i := range 1000 {
		span.SetTag(fmt.Sprint("tag", i), i)
	}
	span.Finish()
	v.Close()
	if v.store.bytes > 100<<10 {
		t.Errorf("one span takes %d bytes", v.store.bytes)
	}
}

func TestReportDoesNotAllocate(t *testing.T) {
	v := New(Config{})
	span := tracerOf(t, "shop", v).StartSpan("op").(*jaeger.Span)
	defer span.Finish()
	v.working.Store(true) // no worker: its allocations are not the caller's
	if n := testing.AllocsPerRun(1000, func() { v.Report(span) }); n != 0 {
		t.Errorf("Report allocates %v times, want 0", n)
	}
	v.drain()
	v.working.Store(false)
}

func TestReportTakesLessThanAMicrosecond(t *testing.T) {
	v := New(Config{})
	span := tracerOf(t, "shop", v).StartSpan("op").(*jaeger.Span)
	defer span.Finish()
	fastest := time.Hour // others use the machine, too
	for range 20 {
		start := time.Now()
		for range 500 {
			v.Report(span)
		}
		fastest = min(fastest, time.Since(start)/500)
	}
	v.Close()
	if fastest > time.Microsecond {
		t.Errorf("Report takes %v, want at most 1 µs", fastest)
	}
}

func TestIdleViewHasNoGoroutine(t *testing.T) {
	v := New(Config{})
	tracerOf(t, "shop", v).StartSpan("op").Finish()
	for end := time.Now().Add(5 * time.Second); v.working.Load(); {
		if time.Now().After(end) {
			t.Fatal("the worker still runs")
		}
		<-time.After(pause)
	}
}

func BenchmarkReport(b *testing.B) {
	v := New(Config{})
	span := tracerOf(b, "shop", v).StartSpan("op").(*jaeger.Span)
	v.working.Store(true) // the benchmark is the worker
	b.ReportAllocs()
	for n := range b.N {
		if n%queueSize == 0 {
			b.StopTimer()
			v.drain()
			b.StartTimer()
		}
		v.Report(span)
	}
	b.StopTimer()
	v.drain()
	v.working.Store(false)
}

// BenchmarkStore is what each span costs the worker.
func BenchmarkStore(b *testing.B) {
	v := New(Config{})
	tracer := tracerOf(b, "shop", v)
	parent := tracer.StartSpan("parent")
	spans := make([]*jaeger.Span, 4096)
	for i := range spans {
		if i%8 == 0 {
			parent = tracer.StartSpan("parent")
		}
		spans[i] = tracer.StartSpan(fmt.Sprint("op", i%20), opentracing.ChildOf(parent.Context()),
			opentracing.Tags{"http.status_code": 200, "http.url": "/x", "span.kind": "server"}).(*jaeger.Span)
	}
	b.ReportAllocs()
	for n := range b.N {
		if n%len(spans) == 0 {
			v.store.clear()
		}
		v.take(spans[n%len(spans)].Retain())
	}
}

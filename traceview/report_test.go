package traceview_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/traceview"
)

func tracerOf(t testing.TB, service string, view *traceview.View, opts ...jaeger.TracerOption) opentracing.Tracer {
	tracer, closer := jaeger.NewTracer(service, jaeger.NewConstSampler(true), view, append(opts, testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return tracer
}

func TestReportedSpansAreSeenAtOnce(t *testing.T) {
	v := traceview.New(traceview.Config{})
	shop := tracerOf(t, "shop", v, jaeger.TracerOptions.Gen128Bit(true), jaeger.TracerOptions.Tag("version", "1.2"))
	stock := tracerOf(t, "stock", v, jaeger.TracerOptions.Gen128Bit(true))
	parent := shop.StartSpan("GET /")
	child := stock.StartSpan("check", opentracing.ChildOf(parent.Context()), opentracing.Tag{Key: "count", Value: 7})
	child.LogFields(log.Event("asked"))
	child.Finish()
	parent.Finish()

	sc := parent.Context().(jaeger.SpanContext)
	contains(t, get(t, v, "/debug/traces/"), ">1 trace, 2 spans in ")
	page := get(t, v, "/debug/traces/api/traces/"+sc.TraceID().String())
	for _, want := range []string{`"serviceName":"shop"`, `"serviceName":"stock"`, `"operationName":"check"`, `{"key":"version","type":"string","value":"1.2"}`,
		`{"key":"count","type":"int64","value":7}`, `"refType":"CHILD_OF"`, `"value":"asked"`} {
		contains(t, page, want)
	}
}

func TestFullQueueIsCountedAndDoesNotBlock(t *testing.T) {
	v := traceview.New(traceview.Config{})
	tracer := tracerOf(t, "shop", v, jaeger.TracerOptions.PoolSpans(true))
	resume := traceview.StopWorker(v)
	for range traceview.QueueSize + 100 {
		tracer.StartSpan("op").Finish()
	}
	resume()
	contains(t, get(t, v, "/debug/traces/"), "lost to a full queue")
	if c := traceview.CountsOf(v); c.Lost == 0 || c.Received+c.Lost != traceview.QueueSize+100 {
		t.Errorf("%d received + %d lost, want %d", c.Received, c.Lost, traceview.QueueSize+100)
	}
}

func TestCloseKeepsEverythingAndTheViewGoesOn(t *testing.T) {
	v := traceview.New(traceview.Config{})
	tracer := tracerOf(t, "shop", v)
	tracer.StartSpan("one").Finish()
	v.Close()
	if n := traceview.CountsOf(v).Received; n != 1 || traceview.IsWorking(v) {
		t.Fatalf("after Close: %d spans stored, worker runs: %v", n, traceview.IsWorking(v))
	}
	v.Close()
	tracer.StartSpan("two").Finish() // a second tracer may still report
	contains(t, get(t, v, "/debug/traces/"), "two")
	v.Close()
	contains(t, get(t, v, "/debug/traces/"), "one")
}

func TestReportOfManyAtOnce(t *testing.T) {
	v := traceview.New(traceview.Config{})
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
	if c := traceview.CountsOf(v); c.Received+c.Lost != 8*300 {
		t.Errorf("%d received + %d lost, want %d", c.Received, c.Lost, 8*300)
	}
	check(t, v)
}

func TestHugeTagsAreCut(t *testing.T) {
	v := traceview.New(traceview.Config{})
	span := tracerOf(t, "shop", v).StartSpan("op")
	span.SetTag("huge", strings.Repeat("x", 1<<20))
	for i := range 1000 {
		span.SetTag(fmt.Sprint("tag", i), i)
	}
	span.Finish()
	v.Close()
	if n := traceview.CountsOf(v).Bytes; n > 100<<10 {
		t.Errorf("one span takes %d bytes", n)
	}
}

func TestReportDoesNotAllocate(t *testing.T) {
	v := traceview.New(traceview.Config{})
	span := tracerOf(t, "shop", v).StartSpan("op").(*jaeger.Span)
	defer span.Finish()
	drain := traceview.WithoutWorker(v)
	if n := testing.AllocsPerRun(1000, func() { v.Report(span) }); n != 0 {
		t.Errorf("Report allocates %v times, want 0", n)
	}
	drain()
}

func TestReportTakesLessThanAMicrosecond(t *testing.T) {
	v := traceview.New(traceview.Config{})
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
	v := traceview.New(traceview.Config{})
	tracerOf(t, "shop", v).StartSpan("op").Finish()
	for end := time.Now().Add(time.Minute); traceview.IsWorking(v); {
		if time.Now().After(end) {
			t.Fatal("the worker still runs")
		}
		<-time.After(time.Millisecond)
	}
}

func BenchmarkReport(b *testing.B) {
	v := traceview.New(traceview.Config{})
	span := tracerOf(b, "shop", v).StartSpan("op").(*jaeger.Span)
	b.ReportAllocs()
	drain := traceview.WithoutWorker(v) // the benchmark is the worker
	for n := range b.N {
		if n%traceview.QueueSize == 0 {
			b.StopTimer()
			drain()
			drain = traceview.WithoutWorker(v)
			b.StartTimer()
		}
		v.Report(span)
	}
	b.StopTimer()
	drain()
}

// BenchmarkStore is what each span costs the worker.
func BenchmarkStore(b *testing.B) {
	v := traceview.New(traceview.Config{})
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
			traceview.StandStill(v, noon)
		}
		traceview.StoreSpan(v, spans[n%len(spans)])
	}
}

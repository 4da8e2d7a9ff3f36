package tracerinit_test

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

const traceparent = "00-" + callerTrace + "-" + callerSpan + "-01"

func incoming(t testing.TB, tracer opentracing.Tracer, headers ...string) opentracing.SpanContext {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	sc, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func TestIDsUse64RandomBits(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	const n = 20000
	var high, low, span [64]int
	quarter := 0
	for range n {
		s := tracer.StartSpan("x")
		child := tracer.StartSpan("y", opentracing.ChildOf(s.Context()))
		id := contextOf(s).TraceID()
		for bit := range 64 {
			high[bit] += int(id.High >> bit & 1)
			low[bit] += int(id.Low >> bit & 1)
			span[bit] += int(contextOf(child).SpanID() >> bit & 1)
		}
		if id.Low>>1 < 1<<61 { // as OpenTelemetry's TraceIDRatioBased(0.25) samples
			quarter++
		}
		child.Finish()
		s.Finish()
	}
	for bit := range 64 {
		for name, count := range map[string]int{"trace id, high": high[bit], "trace id, low": low[bit],
			"span id": span[bit]} {
			if share := float64(count) / n; math.Abs(share-0.5) > 0.03 {
				t.Errorf("%s: bit %d is set in %.3f of ids", name, bit, share)
			}
		}
	}
	if share := float64(quarter) / n; math.Abs(share-0.25) > 0.02 {
		t.Errorf("an OpenTelemetry neighbour that samples a quarter takes %.3f", share)
	}
}

func TestTraceIDsOf64BitsOnDemand(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{LookupEnv: env("JAEGER_TRACEID_128BIT=false")})
	if id := contextOf(testspans.Start(t, tracer, "x")).TraceID(); id.High != 0 || id.Low == 0 {
		t.Errorf("trace id %v", id)
	}
}

// An option as rpcspan's: it knows its reference before it is applied.
type knownOption struct{ parent opentracing.SpanContext }

func (o *knownOption) Reference() opentracing.SpanReference {
	return opentracing.SpanReference{Type: opentracing.ChildOfRef, ReferencedContext: o.parent}
}

func (o *knownOption) Apply(s *opentracing.StartSpanOptions) { o.Reference().Apply(s) }

func TestParallelChildrenOfOneExtractedContextDoNotRace(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	for name, option := range map[string]func(opentracing.SpanContext) opentracing.StartSpanOption{
		"child of":     func(sc opentracing.SpanContext) opentracing.StartSpanOption { return opentracing.ChildOf(sc) },
		"follows from": func(sc opentracing.SpanContext) opentracing.StartSpanOption { return opentracing.FollowsFrom(sc) },
		"rpc server":   func(sc opentracing.SpanContext) opentracing.StartSpanOption { return ext.RPCServerOption(sc) },
		"kit":          func(sc opentracing.SpanContext) opentracing.StartSpanOption { return &knownOption{sc} },
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				sc := incoming(t, tracer, "traceparent", traceparent)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() { tracer.StartSpan("child", option(sc)).Finish() })
				}
				wg.Wait()
			}
		})
	}
	if s := tracer.Stats(); s.Started != 1600 || s.Reported != 1600 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
}

func TestChildrenContinueTheCallersTrace(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	sc := incoming(t, tracer, "traceparent", traceparent)
	other := testspans.Start(t, tracer, "other")
	for name, options := range map[string][]opentracing.StartSpanOption{
		"child of":          {opentracing.ChildOf(sc)},
		"follows from":      {opentracing.FollowsFrom(sc)},
		"child of wins":     {opentracing.FollowsFrom(other.Context()), opentracing.ChildOf(sc)},
		"rpc server":        {ext.RPCServerOption(sc), opentracing.Tag{Key: "a", Value: 1}},
		"option of the kit": {&knownOption{sc}},
		"nil among them":    {nil, opentracing.ChildOf(sc)},
		"start time and tags": {
			opentracing.StartTime(time.Unix(1, 0)), opentracing.Tags{"a": 1, "b": 2, "c": 3, "d": 4},
			opentracing.ChildOf(sc),
		},
	} {
		t.Run(name, func(t *testing.T) {
			span := testspans.Start(t, tracer, name, options...)
			if got := contextOf(span); fmt.Sprint(got.TraceID(), got.ParentID()) != callerTrace+" "+callerSpan {
				t.Errorf("%s: trace and parent are %v %v", name, got.TraceID(), got.ParentID())
			}
		})
	}
}

func TestSamplerTagsSurviveManyStartTags(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	many := opentracing.Tags{"a": 1, "b": 2, "c": 3, "d": 4, string(ext.SpanKind): ext.SpanKindRPCServerEnum}
	span := testspans.Start(t, tracer, "x", many)
	got := tagsOf(span)
	for k, v := range many {
		if got[k] != v {
			t.Errorf("tag %s is %v, not %v", k, got[k], v)
		}
	}
	if got[jaeger.SamplerTypeTagKey] != jaeger.SamplerTypeConst || got[jaeger.SamplerParamTagKey] != true {
		t.Errorf("the sampler's tags are %v", got)
	}
	if len(many) != 5 {
		t.Error("StartSpan changed the caller's tags")
	}
}

func TestSamplingPriorityTakesAnyNumber(t *testing.T) {
	never, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Never()})
	always, _ := memory(t, tracerinit.Config{})
	for _, yes := range []any{1, int64(1), uint8(2), uint16(1), 1.0, true} {
		t.Run(fmt.Sprintf("%T %v", yes, yes), func(t *testing.T) {
			for _, option := range []opentracing.StartSpanOption{opentracing.Tag{Key: "sampling.priority", Value: yes},
				opentracing.Tags{"sampling.priority": yes}} {
				t.Run(fmt.Sprintf("%T", option), func(t *testing.T) {
					if sc := contextOf(testspans.Start(t, never, "x", option)); !sc.IsSampled() || sc.IsDebug() {
						t.Errorf("sampling.priority %T(%v): sampled %t, debug %t", yes, yes, sc.IsSampled(), sc.IsDebug())
					}
				})
			}
		})
	}
	for _, no := range []any{0, -1, uint16(0), 0.0, false} {
		t.Run(fmt.Sprintf("%T %v", no, no), func(t *testing.T) {
			if contextOf(testspans.Start(t, always, "x", opentracing.Tag{Key: "sampling.priority", Value: no})).IsSampled() {
				t.Errorf("sampling.priority %T(%v): sampled", no, no)
			}
		})
	}
	if !contextOf(testspans.Start(t, always, "x", opentracing.Tag{Key: "sampling.priority", Value: "one"})).IsSampled() {
		t.Error("a sampling.priority that is no number counted")
	}
	span := testspans.Start(t, never, "x")
	ext.SamplingPriority.Set(span, 1)
	if !contextOf(span).IsSampled() {
		t.Error("ext.SamplingPriority.Set had no effect")
	}
}

func TestStartSpanAllocatesNoMoreThanTheEngine(t *testing.T) {
	tracer := start(t, tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	sc := incoming(t, tracer, "traceparent", traceparent)
	for name, options := range map[string][]opentracing.StartSpanOption{
		"root":                  nil,
		"root with two tags":    {opentracing.Tag{Key: "a", Value: "b"}, opentracing.Tag{Key: "c", Value: "d"}},
		"child":                 {opentracing.ChildOf(sc)},
		"child with tags":       {opentracing.ChildOf(sc), opentracing.Tags{"a": 1, "b": 2, "c": 3}},
		"child of kit's option": {&knownOption{sc}},
	} {
		t.Run(name, func(t *testing.T) {
			measure := func(tr opentracing.Tracer) float64 {
				return testing.AllocsPerRun(200, func() { tr.StartSpan("x", options...).Finish() })
			}
			ours, raw := measure(tracer), measure(tracerinit.EngineOf(tracer))
			t.Logf("%v allocations, the engine alone %v", ours, raw)
			if ours > raw {
				t.Errorf("%v allocations, the engine alone %v", ours, raw)
			}
		})
	}
}

func TestCountsAddUpUnderLoad(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Ratio(0.5), Reporters: []jaeger.Reporter{panicking{}}})
	open := make(chan opentracing.Span, 400)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				span := tracer.StartSpan("x")
				ext.SamplingPriority.Set(span, uint16(i%2))
				if i%5 == 0 {
					open <- span
					continue
				}
				span.Finish()
			}
		})
	}
	wg.Wait()
	s := tracer.Stats()
	if s.Started != 2000 || s.Open != 400 || s.Reported != 800 || s.Unsampled != 800 || s.Repeated != 0 {
		t.Errorf(
			"started %d, open %d, reported %d, unsampled %d, repeated %d", s.Started, s.Open, s.Reported, s.Unsampled,
			s.Repeated,
		)
	}
	for i, want := range []tracerinit.ReporterStats{{"tracerinit_test.panicking", 0, 800, 0}, {"*jaeger.InMemoryReporter", 800, 0, 0}} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			if s.Reporters[i] != want {
				t.Errorf("reporter %+v, want %+v", s.Reporters[i], want)
			}
		})
	}
	close(open)
	for span := range open {
		span.Finish()
	}
	if s := tracer.Stats(); s.Open != 0 || s.Reported+s.Unsampled != 2000 {
		t.Errorf("all are finished, but %+v", s)
	}
}

type panicking struct{}

func (panicking) Report(*jaeger.Span) { panic("reporter") }
func (panicking) Close()              { panic("close") }

func TestFinishingTwiceIsCountedAsSuch(t *testing.T) {
	tracer, _ := memory(t, tracerinit.Config{})
	span := tracer.StartSpan("x")
	for range 3 {
		span.Finish()
	}
	s := tracer.Stats()
	if s.Started+s.Repeated != s.Open+s.Unsampled+s.Reported || s.Repeated != 2 || s.Open != 0 {
		t.Errorf("%+v", s)
	}
}

func TestSumsHoldForEveryExporterUnderLoad(t *testing.T) {
	backend := newSink(t, "")
	tracer := start(t, tracerinit.Config{
		Exporters: []tracerinit.Exporter{
			tracerinit.OTLPHTTP(backend.URL), tracerinit.JaegerHTTP("http://127.0.0.1:1", tracerinit.WithRetry(tracerinit.Retry{Limit: -1})),
			tracerinit.JaegerHTTP(backend.URL),
		},
		Queue: tracerinit.Queue{Size: 64, Batch: 16, Interval: time.Millisecond}, Sampler: tracerinit.Ratio(0.5),
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				tracer.StartSpan("x").Finish()
			}
		})
	}
	wg.Wait()
	check := func(when string) {
		s := tracer.Stats()
		if s.Started != 4000 || s.Started != s.Open+s.Unsampled+s.Reported || s.Open != 0 {
			t.Errorf(
				"%s: started %d, open %d, unsampled %d, reported %d", when, s.Started, s.Open, s.Unsampled, s.Reported,
			)
		}
		for _, e := range s.Exporters {
			if e.Reported != s.Reported || e.Reported != e.Queued+e.InFlight+e.Delivered+e.Dropped.Total() {
				t.Errorf("%s: reported %d: %+v", when, s.Reported, e)
			}
		}
	}
	check("under way")
	if err := tracer.Flush(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
	check("flushed")
	_ = tracer.Close()
	check("shut down")
	for _, e := range tracer.Stats().Exporters {
		if e.Queued+e.InFlight != 0 {
			t.Errorf("shut down, but %+v", e)
		}
	}
}

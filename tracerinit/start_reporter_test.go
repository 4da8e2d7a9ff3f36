package tracerinit_test

import (
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// openSpans is a reporter that knows which spans are open.
type openSpans struct {
	open   map[jaeger.SpanID]startedSpan
	starts int
}

type startedSpan struct {
	name  string
	sc    jaeger.SpanContext
	start time.Time
}

func (o *openSpans) ReportStart(name string, sc jaeger.SpanContext, start time.Time) {
	o.starts++
	o.open[sc.SpanID()] = startedSpan{name, sc, start}
}

func (o *openSpans) Report(s *jaeger.Span) { delete(o.open, s.SpanContext().SpanID()) }
func (o *openSpans) Close()                {}

func TestStartsAreReported(t *testing.T) {
	at := time.Now().Add(-time.Minute)
	for name, cfg := range map[string]tracerinit.Config{
		"fast path":            {},
		"jaeger's own path":    {TracerOptions: []jaeger.TracerOption{jaeger.TracerOptions.PoolSpans(false)}},
		"beside an exporter":   {Exporters: []tracerinit.Exporter{tracerinit.OTLPHTTP("http://127.0.0.1:1")}},
		"beside a reporter":    {Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}},
		"with a panicking one": {Reporters: []jaeger.Reporter{panickingStarts{}}},
	} {
		t.Run(name, func(t *testing.T) {
			open := &openSpans{open: map[jaeger.SpanID]startedSpan{}}
			cfg.Reporters = append(cfg.Reporters, open)
			tracer := start(t, cfg)
			caller := incoming(t, tracer, "traceparent", traceparent, "baggage", "user=alice")
			for how, options := range map[string][]opentracing.StartSpanOption{
				"root":          nil,
				"remote parent": {opentracing.ChildOf(caller)},
				"many tags":     {opentracing.ChildOf(caller), opentracing.Tags{"a": 1, "b": 2, "c": 3}},
				"follows":       {opentracing.FollowsFrom(caller)},
			} {
				t.Run(how, func(t *testing.T) {
					span := tracer.StartSpan("GET /", append(options, opentracing.StartTime(at))...).(*jaeger.Span)
					sc := span.SpanContext()
					got, ok := open.open[sc.SpanID()]
					if !ok || got.name != "GET /" || !got.start.Equal(at) || got.sc.TraceID() != sc.TraceID() ||
						got.sc.ParentID() != sc.ParentID() {
						t.Errorf("reported %+v", got)
					}
					got.sc.ForeachBaggageItem(func(k, _ string) bool {
						t.Errorf("a reported context holds the baggage item %s", k)
						return true
					})
					child := span.Tracer().StartSpan("work", opentracing.ChildOf(sc)).(*jaeger.Span)
					if len(open.open) != 2 || open.open[child.SpanContext().SpanID()].sc.ParentID() != sc.SpanID() {
						t.Errorf("with a child of the span's own tracer, %d spans are open", len(open.open))
					}
					child.Finish()
					span.Finish()
					if len(open.open) != 0 {
						t.Errorf("%d spans are open after the end", len(open.open))
					}
				})
			}
			if open.starts != 8 {
				t.Errorf("%d starts were reported for 8 spans", open.starts)
			}
		})
	}
}

type panickingStarts struct{ panicking }

func (panickingStarts) ReportStart(string, jaeger.SpanContext, time.Time) { panic("start") }

func TestStartsOfSpansThatNobodySeesAreNotReported(t *testing.T) {
	open := &openSpans{open: map[jaeger.SpanID]startedSpan{}}
	with := func(cfg tracerinit.Config) *tracerinit.Tracer {
		cfg.Reporters = []jaeger.Reporter{open}
		return start(t, cfg)
	}
	stopped := with(tracerinit.Config{})
	_ = stopped.Close()
	for name, tracer := range map[string]*tracerinit.Tracer{
		"unsampled": with(tracerinit.Config{Sampler: tracerinit.Never()}), "disabled": with(tracerinit.Config{Disabled: true}), "shut down": stopped,
	} {
		t.Run(name, func(t *testing.T) {
			tracer.StartSpan("x").Finish()
			tracer.StartSpan("x", opentracing.Tags{"a": 1, "b": 2, "c": 3}).Finish()
			if open.starts != 0 {
				t.Errorf("%s: the start was reported", name)
			}
		})
	}
	tracer := with(tracerinit.Config{})
	early := tracer.StartSpan("x")
	late := tracer.StartSpan("x", opentracing.Tag{Key: "sampling.priority", Value: 0})
	ext.SamplingPriority.Set(early, 0)
	early.Finish()
	late.Finish()
	for _, s := range open.open {
		if s.sc.IsSampled() {
			t.Errorf("%s was given up and its context is still sampled", s.name)
		}
	}
}

func TestReportedStartsAddNoAllocs(t *testing.T) {
	cost := func(r jaeger.Reporter, options ...opentracing.StartSpanOption) float64 {
		tracer := start(t, tracerinit.Config{Reporters: []jaeger.Reporter{r}})
		return testing.AllocsPerRun(1000, func() { tracer.StartSpan("x", options...).Finish() })
	}
	for name, options := range map[string][]opentracing.StartSpanOption{
		"fast path": nil, "slow path": {opentracing.Tags{"a": 1, "b": 2, "c": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			if bare, with := cost(jaeger.NewNullReporter(), options...), cost(nullStarts{}, options...); with > bare {
				t.Errorf("%v allocations with reported starts, %v without", with, bare)
			}
		})
	}
}

type nullStarts struct{ jaeger.Reporter }

func (nullStarts) Report(*jaeger.Span)                               {}
func (nullStarts) Close()                                            {}
func (nullStarts) ReportStart(string, jaeger.SpanContext, time.Time) {}

func BenchmarkStart(b *testing.B) {
	for name, r := range map[string]jaeger.Reporter{"ends only": jaeger.NewNullReporter(), "starts": nullStarts{}} {
		b.Run(name, func(b *testing.B) {
			tracer := start(b, tracerinit.Config{Reporters: []jaeger.Reporter{r}})
			b.ReportAllocs()
			for b.Loop() {
				tracer.StartSpan("x").Finish()
			}
		})
	}
}

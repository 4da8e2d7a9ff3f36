package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/internal/jaegerspan"
	"github.com/spanloom/spanloom/internal/testspans"
)

// owner is a tracer with an engine.
type owner struct {
	*jaeger.Tracer
	engine            Engine
	reporter          *jaeger.InMemoryReporter
	disabled          atomic.Bool
	started, finished atomic.Uint64
}

// open counts the spans that the engine has started and that are not finished.
func (o *owner) open() int64 { return int64(o.started.Load() - o.finished.Load()) }

func (o *owner) Engine() *Engine { return &o.engine }

func newOwner(t *testing.T, sampler jaeger.Sampler, options ...jaeger.TracerOption) *owner {
	t.Helper()
	p, err := carrier.New(carrier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	o := &owner{reporter: jaeger.NewInMemoryReporter()}
	options = append(append(p.TracerOptions(), jaeger.TracerOptions.Gen128Bit(true)), options...)
	tracer, closer := jaeger.NewTracer("shop", sampler, o.reporter, append(options, testspans.Finished(t, o.open))...)
	t.Cleanup(func() { closer.Close() })
	o.Tracer = tracer.(*jaeger.Tracer)
	o.engine = Engine{
		Owner: o, Tracer: o.Tracer, Sampler: sampler, Reporter: o.reporter, Propagator: p, TraceID128: true,
		Disabled: &o.disabled, Started: &o.started, Finished: &o.finished,
	}
	return o
}

// begin starts a span that is finished when the test ends.
func (o *owner) begin(t *testing.T, r *StartInfo, parent *jaeger.SpanContext) (span *jaeger.Span, recording bool) {
	t.Helper()
	span, recording = o.engine.Start(r, parent, nil)
	t.Cleanup(func() { o.engine.Finish(span, time.Time{}, nil, nil, nil) })
	return span, recording
}

var server = []opentracing.Tag{{Key: string(ext.SpanKind), Value: ext.SpanKindRPCServerEnum}}

// caller is a context that came in with these headers.
func (o *owner) caller(t *testing.T, headers ...string) *jaeger.SpanContext {
	t.Helper()
	m := opentracing.TextMapCarrier{}
	for i := 0; i < len(headers); i += 2 {
		m[headers[i]] = headers[i+1]
	}
	sc, err := o.engine.Extract(m)
	if err != nil {
		t.Fatal(err)
	}
	return &sc
}

// described is all that can be seen of a span, but its own ids.
func described(s *jaeger.Span) map[string]any {
	sc := s.SpanContext()
	baggage := map[string]string{}
	sc.ForeachBaggageItem(func(k, v string) bool { baggage[k] = v; return true })
	m := map[string]any{
		"parent": sc.ParentID(), "flags": sc.Flags(), "final": sc.IsSamplingFinalized(), "baggage": baggage, "name": s.OperationName(),
		"tags": s.Tags(), "logs": fmt.Sprint(s.Logs()), "start": s.StartTime(), "duration": s.Duration(), "tracer": s.Tracer() != nil,
		"valid": sc.IsValid(), "wide": sc.TraceID().High != 0, "first": jaegerspan.Fields(s).FirstInProcess,
	}
	if sc.ParentID() == 0 {
		m["root"] = uint64(sc.SpanID()) == sc.TraceID().Low
	} else {
		m["trace"] = sc.TraceID()
	}
	for _, r := range s.References() {
		m["reference"] = fmt.Sprint(r.Type, r.ReferencedContext.(jaeger.SpanContext))
	}
	return m
}

func TestSpansAreThoseOfTheTracer(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	end := opentracing.FinishOptions{FinishTime: at.Add(time.Second), LogRecords: []opentracing.LogRecord{{Timestamp: at, Fields: []log.Field{log.Event("e")}}}}
	for name, parent := range map[string]func(t *testing.T, o *owner) *jaeger.SpanContext{
		"root": func(*testing.T, *owner) *jaeger.SpanContext { return nil },
		"sampled caller": func(t *testing.T, o *owner) *jaeger.SpanContext {
			return o.caller(t, "uber-trace-id", "1:2:3:1", "uberctx-k", "v")
		},
		"unsampled caller": func(t *testing.T, o *owner) *jaeger.SpanContext {
			return o.caller(t, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
		},
		"local": func(t *testing.T, o *owner) *jaeger.SpanContext {
			span := testspans.Start(t, o, "outer")
			span.SetBaggageItem("k", "v")
			sc := span.Context().(jaeger.SpanContext)
			return &sc
		},
	} {
		for _, sample := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", name, sample), func(t *testing.T) {
				o := newOwner(t, jaeger.NewConstSampler(sample))
				sc := parent(t, o)
				options := []opentracing.StartSpanOption{opentracing.StartTime(at), server[0]}
				if sc != nil {
					options = append(options, opentracing.ChildOf(*sc))
				}
				got, recording := o.engine.Start(&StartInfo{Name: "x", Time: at, Server: true, StartTags: server}, sc, tags[:1])
				if got == nil {
					t.Fatal("not started")
				}
				if !got.SpanContext().IsSamplingFinalized() {
					t.Error("sampling is open")
				}
				want := o.StartSpan("x", options...).(*jaeger.Span)
				SetTags(want, tags[0])
				if recording != want.SpanContext().IsSampled() || recording != Recording(got) {
					t.Errorf("recording: %t", recording)
				}
				if ContextOf(got).String() != got.String() || ContextOfNew(got).String() != got.String() {
					t.Error("another context than the span's")
				}
				if id := got.SpanContext().SpanID(); id == 0 || id == want.SpanContext().SpanID() {
					t.Errorf("span id %v", id)
				}
				SetTags(want, tags[1:]...)
				want.FinishWithOptions(end)
				o.engine.Finish(got, end.FinishTime, end.LogRecords, tags[1:], nil)
				wanted := described(want)
				if !recording { // nobody sees it
					delete(wanted, "reference")
				}
				if diff := cmp.Diff(wanted, described(got)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				reported := 0
				for _, s := range o.reporter.GetSpans() {
					if s == got {
						reported++
					}
				}
				if (reported == 1) != recording || o.started.Load() != 1 || o.finished.Load() != 1 {
					t.Errorf("reported %d times, started %d, finished %d", reported, o.started.Load(), o.finished.Load())
				}
			})
		}
	}
}

func TestWhatAnEngineLeavesToTheTracer(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	undecided := jaeger.NewSpanContext(jaeger.TraceID{Low: 1}, 2, 0, false, nil)
	for name, parent := range map[string]*jaeger.SpanContext{
		"only baggage":       o.caller(t, "uberctx-k", "v"),
		"nothing":            {},
		"undecided sampling": &undecided,
	} {
		t.Run(name, func(t *testing.T) {
			if s, _ := o.engine.Start(&StartInfo{Name: "x"}, parent, nil); s != nil {
				t.Error("started")
			}
		})
	}
	o.disabled.Store(true)
	if s, _ := o.engine.Start(&StartInfo{Name: "x"}, nil, nil); s != nil {
		t.Error("started though disabled")
	}
	if n := o.started.Load(); n != 0 {
		t.Errorf("%d started", n)
	}
}

func TestOfIsTheTracersOwn(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	embedding := struct{ *owner }{o}
	if Of(o) != &o.engine || Of(embedding) != nil || Of(o.Tracer) != nil || Of(nil) != nil {
		t.Error("another tracer's engine")
	}
}

func TestExtractMarksCallers(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		o := newOwner(t, jaeger.NewConstSampler(false))
		sc := o.caller(t, "uber-trace-id", "1:2:0:1")
		if child := testspans.Start(t, o, "x", opentracing.ChildOf(*sc)).(*jaeger.Span); !child.SpanContext().IsSampled() || !child.SpanContext().IsSamplingFinalized() {
			t.Error("the caller's decision does not hold")
		}
		if _, err := o.engine.Extract(opentracing.TextMapCarrier{}); err != opentracing.ErrSpanContextNotFound {
			t.Errorf("without a caller: %v", err)
		}
	})
}

func TestChildrenOfOneCallerInParallel(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(false))
	sc := o.caller(t, "uber-trace-id", "1:2:0:1", "uberctx-k", "v")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, _ := o.engine.Start(&StartInfo{Name: "x", Time: time.Now(), StartTags: server}, sc, nil)
			s.SetBaggageItem("mine", "1")
			o.engine.Finish(s, time.Time{}, nil, nil, nil)
		})
	}
	wg.Wait()
	if n := o.reporter.SpansSubmitted(); n != 8 {
		t.Errorf("%d spans", n)
	}
	if _, shared := jaegerspan.ContextFields(sc).Baggage["mine"]; shared {
		t.Error("a child's baggage reached its parent")
	}
}

func TestFinishWithDroppedLogs(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true), jaeger.TracerOptions.MaxLogsPerSpan(3))
	s, _ := o.engine.Start(&StartInfo{Name: "x", Time: time.Now()}, nil, nil)
	for i := range 9 {
		s.LogFields(log.Int("i", i))
	}
	o.engine.Finish(s, time.Time{}, nil, tags, nil)
	if logs := s.Logs(); len(logs) != 3 || s.Tags()["a"] != 3 || o.reporter.SpansSubmitted() != 1 {
		t.Errorf("%d logs, tags %v", len(logs), s.Tags())
	}
}

func TestSpareTagsHaveTheirRoomFromTheStart(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	for most := range 24 {
		s, _ := o.begin(t, &StartInfo{Name: "x", Time: time.Now(), SpareTags: most}, nil)
		for range most {
			SetTags(s, tags[0])
		}
		ReadTags(s, func(list []opentracing.Tag) {
			if len(list) != most+2 { // sampler.type and sampler.param
				t.Errorf("room %d: %d tags", most, len(list))
			}
			if most <= 15 && cap(list) > 17 {
				t.Errorf("room %d: the list grew to %d", most, cap(list))
			}
		})
	}
}

func TestAConstantSamplersTagsCanBeHidden(t *testing.T) {
	probabilistic, err := jaeger.NewProbabilisticSampler(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		sampler jaeger.Sampler
		hide    bool
		want    any
	}{
		"shown":         {jaeger.NewConstSampler(true), false, "const"},
		"hidden":        {jaeger.NewConstSampler(true), true, nil},
		"probabilistic": {probabilistic, true, "probabilistic"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newOwner(t, tt.sampler).begin(t, &StartInfo{Name: "root", HideConst: tt.hide}, nil)
			if got := s.Tags()["sampler.type"]; got != tt.want {
				t.Errorf("sampler.type is %v, want %v", got, tt.want)
			}
		})
	}
}

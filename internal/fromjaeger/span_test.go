package fromjaeger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	. "github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/testspans"
)

var byValue = cmp.Comparer(func(a, b Value) bool { return a == b })

func newTracer(t *testing.T) opentracing.Tracer {
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(),
		jaeger.TracerOptions.Gen128Bit(true), testspans.Finished(t))
	t.Cleanup(func() { closer.Close() })
	return tracer
}

func extract(t *testing.T, tracer opentracing.Tracer, uber string) opentracing.SpanContext {
	t.Helper()
	sc, err := tracer.Extract(opentracing.TextMap, opentracing.TextMapCarrier{"uber-trace-id": uber})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func load(span opentracing.Span, lim Limits) Span {
	l := Loader{Limits: lim}
	l.Load(span.(*jaeger.Span))
	return l.Span
}

func tag(k string, v any) Tag { return Tag{Key: k, Value: ValueOf(v, 0)} }

func TestSpansAreLoadedWithAllTheyHave(t *testing.T) {
	tracer := newTracer(t)
	parent := extract(t, tracer, "f123456789abcdef8000000000000001:7:0:1")
	linked := extract(t, tracer, "b:c:0:1")
	start := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	span := tracer.StartSpan("GET /", opentracing.ChildOf(parent), opentracing.FollowsFrom(linked), opentracing.StartTime(start),
		ext.SpanKindRPCServer)
	span.SetTag("n", 1).SetTag("wait", time.Second).SetTag("n", 2).SetTag("", "no key")
	span.FinishWithOptions(opentracing.FinishOptions{
		FinishTime: start.Add(time.Millisecond + 1),
		LogRecords: []opentracing.LogRecord{{Timestamp: start.Add(5), Fields: []log.Field{log.String("event", "x"), log.Int("n", 3)}}},
	})

	l := Loader{TraceState: func(sc jaeger.SpanContext) string { return "vendor=" + sc.TraceID().String() }}
	l.Load(span.(*jaeger.Span))
	got := l.Span
	want := Span{
		TraceID: TraceID{High: 0xf123456789abcdef, Low: 0x8000000000000001}, SpanID: got.SpanID, ParentID: 7, Flags: 1, Name: "GET /",
		TraceState: "vendor=f123456789abcdef8000000000000001", Start: start, Duration: time.Millisecond + 1,
		Tags:   []Tag{tag("span.kind", "server"), tag("n", 2), tag("wait", "1s")},
		Logs:   []Log{{Time: start.Add(5), Fields: []Tag{tag("event", "x"), tag("n", 3)}}},
		Refs:   []Ref{{Type: FollowsFrom, TraceID: TraceID{Low: 0xb}, SpanID: 0xc}},
		Parent: Remote,
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" || got.SpanID == 0 {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLinkTagsAlsoBecomeAReference(t *testing.T) {
	tracer := newTracer(t)
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	want := Ref{Type: FollowsFrom, TraceID: TraceID{High: 0x0af7651916cd43dd, Low: 0x8448eb211c80319c}, SpanID: 0xb7ad6b7169203331}
	for _, tt := range []struct {
		trace, span any
		want        []Ref
	}{
		{trace, span, []Ref{want}}, {"8448eb211c80319c", "1", []Ref{{Type: FollowsFrom, TraceID: TraceID{Low: want.TraceID.Low}, SpanID: 1}}},
		{trace, "", nil}, {"", span, nil}, {trace + "0", span, nil}, {"x" + trace[1:], span, nil}, {"0", span, nil}, {trace, "0", nil},
		{trace, 7, nil}, {true, span, nil},
	} {
		t.Run(fmt.Sprintf("trace %v, span %v", tt.trace, tt.span), func(t *testing.T) {
			span := tracer.StartSpan("x").SetTag("link.trace_id", tt.trace).SetTag("link.span_id", tt.span)
			defer span.Finish()
			s := load(span, Limits{})
			if !slices.Equal(s.Refs, tt.want) {
				t.Errorf("%v %v: %v, want %v", tt.trace, tt.span, s.Refs, tt.want)
			}
		})
	}
	there := tracer.StartSpan("x", opentracing.FollowsFrom(extract(t, tracer, trace+":"+span+":0:1"))).
		SetTag("link.trace_id", trace).SetTag("link.span_id", span)
	defer there.Finish()
	if s := load(there, Limits{}); !slices.Equal(s.Refs, []Ref{want}) {
		t.Errorf("a reference that is there already became %v", s.Refs)
	}
}

func TestShortSpansLastAMicrosecond(t *testing.T) {
	tracer := newTracer(t)
	start := time.Now()
	for lasted, want := range map[time.Duration]time.Duration{
		-time.Second: 0, 0: 0, 1: time.Microsecond, 999: time.Microsecond, 1500: 1500,
	} {
		t.Run(fmt.Sprint(lasted), func(t *testing.T) {
			span := tracer.StartSpan("x", opentracing.StartTime(start))
			span.FinishWithOptions(opentracing.FinishOptions{FinishTime: start.Add(lasted)})
			if s := load(span, Limits{}); s.Duration != want {
				t.Errorf("%v became %v, want %v", lasted, s.Duration, want)
			}
		})
	}
}

// A value with methods makes Load take the slow way; both must say the same.
func TestBothWaysToReadTagsAgree(t *testing.T) {
	tracer := newTracer(t)
	parent := extract(t, tracer, "a:7:0:1")
	fast := tracer.StartSpan("x", opentracing.ChildOf(parent))
	defer fast.Finish()
	for i, v := range []any{"text", 1, int8(2), uint64(1 << 63), 0.5, true, []byte("raw"), ext.SpanKindRPCClientEnum} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			fast.SetTag(fmt.Sprint("t", i), v)
		})
	}
	fast.SetTag("t1", 9)
	slow := tracer.StartSpan("x", opentracing.ChildOf(parent))
	defer slow.Finish()
	for k, v := range fast.(*jaeger.Span).Tags() {
		slow.SetTag(k, v)
	}
	slow.SetTag("t99", errors.New("x"))
	a := load(fast, Limits{})
	b := load(slow, Limits{})
	b.Tags = b.Tags[:len(b.Tags)-1]
	for _, s := range []Span{a, b} {
		slices.SortFunc(s.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	}
	if diff := cmp.Diff(a.Tags, b.Tags, byValue); diff != "" {
		t.Errorf("-fast +slow:\n%s", diff)
	}
	var l Loader
	if n := testing.AllocsPerRun(100, func() { l.Load(fast.(*jaeger.Span)) }); n > 2 {
		t.Errorf("%v allocations, of which the bytes and the large number need 2: the fast way is not taken", n)
	}
}

func TestLoadedSpansAreWithinTheLimits(t *testing.T) {
	tracer := newTracer(t)
	span := tracer.StartSpan("x", opentracing.ChildOf(extract(t, tracer, "a:7:0:1")))
	defer span.Finish()
	for i := range 10 {
		span.SetTag(fmt.Sprint("t", i), strings.Repeat("x", 100))
		span.LogFields(log.String("a", strings.Repeat("x", 100)), log.Int("b", 2), log.Object("c", []byte("0123456789")), log.Int("d", 4))
	}
	span.SetTag("span.kind", "server").SetTag("error", true)
	s := load(span, Limits{Tags: 4, Logs: 2, Fields: 3, ValueBytes: 9})
	if len(s.Tags) != 4 || len(s.Logs) != 2 || len(s.Logs[0].Fields) != 3 {
		t.Errorf("%d tags, %d logs, %d fields", len(s.Tags), len(s.Logs), len(s.Logs[0].Fields))
	}
	if want := (Dropped{Tags: 8, Logs: 8, Fields: 2, Values: 10 + 2*2}); s.Dropped != want || s.Logs[0].DroppedFields != 1 {
		t.Errorf("dropped %+v, want %+v; fields of the first log: %d", s.Dropped, want, s.Logs[0].DroppedFields)
	}
	if s.Tags[0] != tag("error", true) || s.Tags[1] != tag("span.kind", "server") {
		t.Errorf("the limit did not spare error and kind: %v", s.Tags)
	}
	if s.Tags[2].Value.Str() != "xxxxxx…" || s.Logs[1].Fields[0].Value.Str() != "xxxxxx…" || s.Logs[1].Fields[2].Value.Str() != "012345678" {
		t.Errorf("values not cut: %v %v", s.Tags, s.Logs[1])
	}
	if s := load(span, Limits{}); len(s.Tags) != 12 || len(s.Logs) != 10 || s.Dropped != (Dropped{}) {
		t.Errorf("without limits: %d tags, %d logs, dropped %+v", len(s.Tags), len(s.Logs), s.Dropped)
	}
}

func TestTagsBeyondTheLimitAreDropped(t *testing.T) {
	tracer := newTracer(t)
	span := tracer.StartSpan("x", opentracing.ChildOf(extract(t, tracer, "a:7:0:1")))
	defer span.Finish()
	for i := range 5000 {
		span.SetTag(fmt.Sprint("t", i%1000), i)
	}
	s := load(span, Limits{})
	if len(s.Tags) != 1000 || s.Tags[0] != tag("t0", 4000) {
		t.Errorf("%d tags, first %v", len(s.Tags), s.Tags[0])
	}
}

type quarrelsome struct{}

func (quarrelsome) Error() string { panic("no") }

func TestFieldsOfLogsKeepTheirTypes(t *testing.T) {
	span := newTracer(t).StartSpan("x")
	defer span.Finish()
	span.LogFields(
		log.Bool("bool", true), log.Int32("int32", -1), log.Uint32("uint32", 1<<32-1), log.Uint64("uint64", 1<<63),
		log.Float32("float32", 0.5), log.Float64("float64", 0.25), log.Error(errors.New("boom")), log.Object("nil", nil),
		log.Noop(), log.Int("", 1), log.Error(quarrelsome{}), log.Object("quarrel", quarrelsome{}),
		log.Lazy(func(e log.Encoder) { e.EmitString("lazy", "yes") }), log.Lazy(func(log.Encoder) { panic("no") }),
	)
	s := load(span, Limits{})
	want := []Tag{
		tag("bool", true), tag("int32", -1), tag("uint32", int64(1<<32-1)), tag("uint64", "9223372036854775808"),
		tag("float32", 0.5), tag("float64", 0.25), tag("error.object", "boom"), tag("nil", "<nil>"),
		tag("error.object", "<panic>"), tag("quarrel", "<panic>"), tag("lazy", "yes"), tag("lazy", "<panic>"),
	}
	if diff := cmp.Diff(want, s.Logs[0].Fields, byValue); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestScratchIsReused(t *testing.T) {
	tracer := newTracer(t)
	big := tracer.StartSpan("big", opentracing.FollowsFrom(extract(t, tracer, "b:c:0:1")))
	defer big.Finish()
	big.SetTag("a", "secret").LogKV("b", "secret")
	big.LogKV("c", "secret", "d", "secret")
	small := tracer.StartSpan("small", opentracing.ChildOf(extract(t, tracer, "a:7:0:1")))
	defer small.Finish()
	small.LogKV("e", 1)
	want := load(small, Limits{})
	var l Loader
	l.Load(big.(*jaeger.Span))
	l.Load(small.(*jaeger.Span))
	got := l.Span
	if diff := cmp.Diff(want.Logs, got.Logs, byValue); diff != "" || len(got.Tags) != 0 || len(got.Refs) != 0 {
		t.Errorf("what was loaded before shows: %+v", got)
	}
}

func TestLoadBesideTheApplication(t *testing.T) {
	span := newTracer(t).StartSpan("x")
	defer span.Finish()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 1000 {
			span.SetTag("k", i).LogKV("i", i)
		}
	})
	for range 50 {
		load(span, Limits{Logs: 5})
	}
	wg.Wait()
}

func TestLimitsThatKeepNothing(t *testing.T) {
	span := newTracer(t).StartSpan("x", ext.SpanKindRPCServer, opentracing.Tag{Key: "a", Value: "1"})
	defer span.Finish()
	ext.Error.Set(span, true)
	span.LogKV("event", "retry")
	for name, c := range map[string]struct {
		limits  Limits
		tags    []Tag
		logs    int
		dropped int
	}{
		"tags":   {Limits{Tags: -1}, []Tag{tag("error", true), tag("span.kind", "server")}, 1, 3}, // and the sampler's
		"logs":   {Limits{Logs: -1, Tags: 2}, []Tag{tag("error", true), tag("span.kind", "server")}, 0, 4},
		"fields": {Limits{Fields: -1, Tags: 2}, []Tag{tag("error", true), tag("span.kind", "server")}, 1, 4},
	} {
		t.Run(name, func(t *testing.T) {
			s := load(span, c.limits)
			dropped := int(s.Dropped.Tags + s.Dropped.Logs + s.Dropped.Fields)
			if diff := cmp.Diff(c.tags, s.Tags, byValue); diff != "" || len(s.Logs) != c.logs || dropped != c.dropped {
				t.Errorf("%d logs, %d dropped, tags (-want +got):\n%s", len(s.Logs), dropped, diff)
			}
			if c.limits.Fields < 0 && len(s.Logs[0].Fields) != 0 {
				t.Errorf("fields are left: %v", s.Logs[0].Fields)
			}
		})
	}
	t.Run("values", func(t *testing.T) {
		s := load(span, Limits{ValueBytes: 1})
		if !slices.Contains(s.Tags, tag("span.kind", "server")) || !slices.Contains(s.Tags, tag("sampler.type", "")) {
			t.Errorf("the kind is cut, or another value is not: %+v", s.Tags)
		}
	})
}

// hostage is a value whose method needs a lock that the application holds while it finishes the span.
type hostage struct{ mu *sync.Mutex }

func (h hostage) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return "free"
}

func TestLoadSimpleCallsNothingOfTheApplications(t *testing.T) {
	tracer := newTracer(t)
	for name, set := range map[string]func(opentracing.Span, any){
		"tag":   func(s opentracing.Span, v any) { s.SetTag("v", v) },
		"field": func(s opentracing.Span, v any) { s.LogFields(log.Object("v", v)) },
		"lazy": func(s opentracing.Span, v any) {
			s.LogFields(log.Lazy(func(e log.Encoder) { e.EmitString("v", fmt.Sprint(v)) }))
		},
	} {
		for _, nested := range []bool{false, true} {
			t.Run(fmt.Sprint(name, nested), func(t *testing.T) {
				h := hostage{&sync.Mutex{}}
				h.mu.Lock()
				span := tracer.StartSpan("x").(*jaeger.Span)
				defer span.Finish()
				if nested {
					set(span, []fmt.Stringer{h})
				} else {
					set(span, h)
				}
				var l Loader
				if l.LoadSimple(span) {
					t.Error("loaded")
				}
				h.mu.Unlock()
				l.Load(span)
				got := l.Span.Tags[len(l.Span.Tags)-1]
				if name != "tag" {
					got = l.Span.Logs[0].Fields[0]
				}
				if got.Key != "v" || !strings.Contains(got.Value.Str(), "free") {
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// TestLoadSimpleCopiesData has a program that changes what it gave to a span once the span has ended.
func TestLoadSimpleCopiesData(t *testing.T) {
	tracer := newTracer(t)
	tag, field := map[string]int{"a": 1}, []string{"a"}
	span := tracer.StartSpan("x").(*jaeger.Span)
	defer span.Finish()
	span.SetTag("v", tag)
	span.LogFields(log.Object("v", field))
	var l Loader
	if !l.LoadSimple(span) {
		t.Fatal("not loaded: the values would be read when the program may write to them")
	}
	tag["b"], field[0] = 2, "b"
	got := l.Span.Tags[len(l.Span.Tags)-1].Value.Str() + " " + l.Span.Logs[0].Fields[0].Value.Str()
	if want := "map[a:1] [a]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogsOverJaegersLimitAreCounted(t *testing.T) {
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(), jaeger.TracerOptions.MaxLogsPerSpan(4), testspans.Finished(t))
	defer closer.Close()
	span := tracer.StartSpan("x").(*jaeger.Span)
	for i := range 10 {
		span.LogFields(log.Int("i", i))
	}
	span.Finish()
	if s := load(span, Limits{}); len(s.Logs) != 4 || s.Dropped.Logs != 7 {
		t.Errorf("%d logs, %d dropped", len(s.Logs), s.Dropped.Logs)
	}
}

func TestNothingIsAllocatedForASimpleSpanAllocs(t *testing.T) {
	tracer := newTracer(t)
	span := tracer.StartSpan("x", opentracing.ChildOf(extract(t, tracer, "a:7:0:1")), ext.SpanKindRPCServer).(*jaeger.Span)
	span.SetTag("http.method", "GET").SetTag("http.status_code", 200).SetTag("error", true)
	span.LogFields(log.Event("error"), log.String("error.kind", "timeout"), log.Int("n", 1))
	span.Finish()
	var l Loader
	if n := testing.AllocsPerRun(100, func() {
		if !l.LoadSimple(span) {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

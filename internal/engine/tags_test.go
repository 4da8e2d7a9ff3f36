package engine

import (
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"
)

var tags = []opentracing.Tag{{Key: "a", Value: 1}, {Key: "b", Value: "two"}, {Key: "a", Value: 3}}

func start(t *testing.T, sampler jaeger.Sampler, options ...jaeger.TracerOption) *jaeger.Span {
	t.Helper()
	tracer, closer := jaeger.NewTracer("shop", sampler, jaeger.NewNullReporter(), options...)
	t.Cleanup(func() { closer.Close() })
	return tracer.StartSpan("x", ext.SpanKindRPCServer).(*jaeger.Span)
}

// patient decides about a span when it sees the tag "vip".
type patient struct{ jaeger.SamplerV2Base }

func (patient) OnCreateSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}
func (patient) OnSetOperationName(*jaeger.Span, string) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}
func (patient) OnSetTag(_ *jaeger.Span, key string, _ any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Sample: key == "vip", Retryable: key != "vip"}
}
func (patient) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision { return jaeger.SamplingDecision{} }

// watcher notes what it is told.
type watcher struct{ told []opentracing.Tag }

func (w *watcher) OnStartSpan(opentracing.Span, string, opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	return w, true
}
func (w *watcher) OnSetOperationName(string)          {}
func (w *watcher) OnFinish(opentracing.FinishOptions) {}
func (w *watcher) OnSetTag(key string, value any) {
	w.told = append(w.told, opentracing.Tag{Key: key, Value: value})
}

// everywhere runs a test with the layout of jaeger.Span known, and with it unknown.
func everywhere(t *testing.T, test func(t *testing.T)) {
	t.Run("known", test)
	t.Run("unknown", func(t *testing.T) {
		known := spans
		spans = func() *layout { return nil }
		defer func() { spans = known }()
		test(t)
	})
}

func TestLayoutIsKnown(t *testing.T) {
	if spans() == nil {
		t.Fatal("all goes the slow way")
	}
	s := start(t, jaeger.NewConstSampler(true))
	s.SetTag("a", 1)
	ok := ReadTags(s, func(got []opentracing.Tag) {
		if last := got[len(got)-1]; last != tags[0] {
			t.Errorf("the last tag reads %v", last)
		}
	})
	if id, name := New(s); !ok || id != s.SpanContext().TraceID() || name != "x" {
		t.Errorf("read %t, %v %q", ok, id, name)
	}
}

func TestOtherLayoutsAreRefused(t *testing.T) {
	if offset(reflect.TypeFor[[]string](), "tags") != 0 || offset(reflect.TypeFor[[]jaeger.Tag](), "labels") != 0 ||
		offset(reflect.TypeFor[int32](), "readerCount") != 0 {
		t.Error("a field of another type, of another name, or of an embedded struct was taken")
	}
	type swapped struct {
		Value any
		Key   string
	}
	type longer struct {
		Key   string
		Value any
		More  int
	}
	tag := reflect.TypeFor[opentracing.Tag]()
	if alike(reflect.TypeFor[swapped](), tag) || alike(reflect.TypeFor[longer](), tag) || !alike(reflect.TypeFor[jaeger.Tag](), tag) {
		t.Error("what is not laid out alike was taken for it")
	}
}

func TestSetTagsDoesWhatSetTagDoes(t *testing.T) {
	vip := append([]opentracing.Tag{{Key: "vip", Value: true}}, tags...)
	for name, tt := range map[string]struct {
		sampler jaeger.Sampler
		tags    []opentracing.Tag
	}{
		"sampled":              {jaeger.NewConstSampler(true), tags},
		"unsampled":            {jaeger.NewConstSampler(false), tags},
		"undecided":            {patient{}, tags},
		"decided by a tag":     {patient{}, vip},
		"given up":             {jaeger.NewConstSampler(true), append(tags[:2:2], opentracing.Tag{Key: string(ext.SamplingPriority), Value: uint16(0)}, tags[2])},
		"taken up":             {jaeger.NewConstSampler(false), append([]opentracing.Tag{{Key: string(ext.SamplingPriority), Value: uint16(1)}}, tags...)},
		"priority of no sense": {jaeger.NewConstSampler(true), []opentracing.Tag{{Key: string(ext.SamplingPriority), Value: "high"}}},
		"none":                 {jaeger.NewConstSampler(true), nil},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T) {
				want, got := start(t, tt.sampler), start(t, tt.sampler)
				for _, tag := range tt.tags {
					want.SetTag(tag.Key, tag.Value)
				}
				recording := SetTags(got, tt.tags...)
				if diff := cmp.Diff(want.Tags(), got.Tags()); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				a, b := want.SpanContext(), got.SpanContext()
				if a.Flags() != b.Flags() || a.IsSamplingFinalized() != b.IsSamplingFinalized() {
					t.Errorf("sampling: flags %d, want %d", b.Flags(), a.Flags())
				}
				if wanted := a.IsSampled() || !a.IsSamplingFinalized(); recording != wanted || Recording(got) != wanted {
					t.Errorf("recording: %t and %t, want %t", recording, Recording(got), wanted)
				}
			})
		})
	}
}

func TestObserversSeeEveryTag(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		w := &watcher{}
		s := start(t, jaeger.NewConstSampler(true), jaeger.TracerOptions.ContribObserver(w))
		w.told = nil
		SetTags(s, tags...)
		if diff := cmp.Diff(tags, w.told); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// roomy reserves room for what it samples.
type roomy struct{ patient }

func (roomy) OnCreateSpan(s *jaeger.Span) jaeger.SamplingDecision {
	Reserve(s)
	return jaeger.SamplingDecision{Sample: true, Tags: []jaeger.Tag{jaeger.NewTag("sampler.type", "roomy")}}
}

func TestReserve(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		s := start(t, roomy{})
		SetTags(s, tags...)
		want := opentracing.Tags{"sampler.type": "roomy", "span.kind": ext.SpanKindRPCServerEnum, "a": 3, "b": "two"}
		if diff := cmp.Diff(want, s.Tags()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	s := start(t, roomy{})
	Reserve(s)
	if n := len(s.Tags()); n != 2 {
		t.Errorf("%d tags are left after reserving twice", n)
	}
}

// While a request sets the usual number of tags, a list that has no room grows once, one that has does not.
func TestUsualTagsGrowLittle(t *testing.T) {
	for want, sampler := range []jaeger.Sampler{roomy{}, jaeger.NewConstSampler(true)} {
		s := start(t, sampler)
		grown, room := 0, -1
		for range typicalTags + 1 {
			ReadTags(s, func(list []opentracing.Tag) {
				if room >= 0 && cap(list) != room {
					grown++
				}
				room = cap(list)
			})
			SetTags(s, tags[0])
		}
		if grown > want {
			t.Errorf("%T: the list grew %d times, to %d", sampler, grown, room)
		}
	}
}

func TestTagsBesideTheApplication(t *testing.T) {
	s := start(t, jaeger.NewConstSampler(true))
	var wg sync.WaitGroup
	const rounds = 300
	wg.Go(func() {
		for i := range rounds {
			s.SetTag("mine", i).SetBaggageItem("k", "v")
		}
	})
	wg.Go(func() {
		for range rounds {
			Recording(s)
			ReadTags(s, func(list []opentracing.Tag) { _ = list[len(list)-1] })
		}
	})
	for range rounds {
		SetTags(s, tags...)
	}
	wg.Wait()
	ReadTags(s, func(list []opentracing.Tag) {
		if n := len(list); n < rounds*(1+len(tags)) {
			t.Errorf("%d tags are left", n)
		}
	})
}

package engine

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
	"github.com/spanloom/spanloom/internal/testspans"
)

var tags = []opentracing.Tag{{Key: "a", Value: 1}, {Key: "b", Value: "two"}, {Key: "a", Value: 3}}

func start(t *testing.T, sampler jaeger.Sampler, options ...jaeger.TracerOption) *jaeger.Span {
	t.Helper()
	tracer, closer := jaeger.NewTracer("shop", sampler, jaeger.NewNullReporter(), append(options, testspans.Finished(t))...)
	t.Cleanup(func() { closer.Close() })
	return testspans.Start(t, tracer, "x", ext.SpanKindRPCServer).(*jaeger.Span)
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

// watcher is an observer that keeps the tags that it gets.
type watcher struct{ tags []opentracing.Tag }

func (w *watcher) OnStartSpan(opentracing.Span, string, opentracing.StartSpanOptions) (jaeger.ContribSpanObserver, bool) {
	return w, true
}
func (w *watcher) OnSetOperationName(string)          {}
func (w *watcher) OnFinish(opentracing.FinishOptions) {}
func (w *watcher) OnSetTag(key string, value any) {
	w.tags = append(w.tags, opentracing.Tag{Key: key, Value: value})
}

// everywhere runs a test with the layout of jaeger.Span known, and with it unknown.
func everywhere(t *testing.T, test func(t *testing.T)) {
	t.Run("known", test)
	t.Run("unknown", func(t *testing.T) {
		was := jaegerspan.LayoutMatches
		jaegerspan.LayoutMatches = func() bool { return false }
		defer func() { jaegerspan.LayoutMatches = was }()
		test(t)
	})
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
		w.tags = nil
		SetTags(s, tags...)
		if diff := cmp.Diff(tags, w.tags); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
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

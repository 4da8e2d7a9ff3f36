package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/jaegerspan"
)

func (o *owner) start(t *testing.T) *jaeger.Span {
	t.Helper()
	parent := o.caller(t, "uber-trace-id", "a:b:0:1")
	s, _ := o.begin(t, &StartInfo{Name: "x", Time: time.Now(), StartTags: server}, parent)
	return s
}

func isKind(key string) bool { return key == "span.kind" }

func TestTagsStayWithinTheirLimit(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	s := o.start(t)
	set := func(key string, value any) int {
		t.Helper()
		dropped, ok := SetTagsWithin(s, 3, isKind, opentracing.Tag{Key: key, Value: value})
		if !ok {
			t.Fatal("not possible")
		}
		return dropped
	}
	dropped := 0
	for i := range 1000 {
		dropped += set(fmt.Sprint("k", i%5), i)
	}
	want := map[string]any{"span.kind": server[0].Value, "k0": 995, "k1": 996, "k2": 997}
	if diff := cmp.Diff(want, map[string]any(s.Tags())); diff != "" || dropped != 400 {
		t.Errorf("dropped %d, want 400; -want +got:\n%s", dropped, diff)
	}
	ReadTags(s, func(tags []opentracing.Tag) {
		if len(tags) != 4 {
			t.Errorf("%d tags are kept, want 4", len(tags))
		}
	})
}

func TestTagsWithinALimitDoNotSample(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(false))
	s, recording := o.begin(t, &StartInfo{Name: "x", Time: time.Now()}, nil)
	if recording {
		t.Fatal("sampled")
	}
	priority := opentracing.Tag{Key: "sampling.priority", Value: uint16(1)}
	for _, limit := range []int{-1, 0, 3} {
		t.Run(fmt.Sprintf("limit %d", limit), func(t *testing.T) {
			if dropped, ok := SetTagsWithin(s, limit, isKind, priority); dropped != 0 || !ok {
				t.Errorf("limit %d: dropped %d, possible %v", limit, dropped, ok)
			}
		})
	}
	if s.SpanContext().IsSampled() || len(s.Tags()) != 0 {
		t.Errorf("sampled %v, tags %v", s.SpanContext().IsSampled(), s.Tags())
	}
}

func TestReferencesAndBaggageThatAreAddedLater(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	s, _ := o.begin(t, &StartInfo{Name: "x", Time: time.Now()}, nil)
	linked := *o.caller(t, "uber-trace-id", "a:b:0:1")
	if !AddReference(s, jaeger.Reference{Type: opentracing.FollowsFromRef, Context: linked}) {
		t.Fatal("not possible")
	}
	SetBaggage(s, map[string]string{"k": "v"})
	sc := ContextOf(s)
	if refs := s.References(); len(refs) != 1 || sc.ParentID() != 0 || s.BaggageItem("k") != "v" || len(s.Logs()) != 0 {
		t.Errorf("references %v, parent %v, baggage %q, logs %v", refs, sc.ParentID(), s.BaggageItem("k"), s.Logs())
	}
	if diff := cmp.Diff(map[string]string{"k": "v"}, Baggage(&sc)); diff != "" {
		t.Error(diff)
	}
}

// literal is a value that stands for itself, whatever its key means.
type literal struct{ text string }

func (literal) IsLiteral() bool { return true }

func TestLiteralsDoNotReplaceTagsWithAMeaning(t *testing.T) {
	s := newOwner(t, jaeger.NewConstSampler(true)).start(t)
	for i := range 3 {
		tag := opentracing.Tag{Key: "span.kind", Value: literal{fmt.Sprint(i)}}
		if dropped, ok := SetTagsWithin(s, 1, isKind, tag); dropped != 0 || !ok {
			t.Errorf("dropped %d, %t", dropped, ok)
		}
	}
	if dropped, _ := SetTagsWithin(s, 1, isKind, opentracing.Tag{Key: "k", Value: 1}); dropped != 1 {
		t.Errorf("dropped %d, want the one over the limit", dropped)
	}
	want := []opentracing.Tag{server[0], {Key: "span.kind", Value: literal{"2"}}}
	if diff := cmp.Diff(want, jaegerspan.Fields(s).Tags, cmp.AllowUnexported(literal{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

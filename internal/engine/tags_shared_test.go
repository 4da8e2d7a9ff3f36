package engine

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
)

var component = []opentracing.Tag{{Key: "component", Value: "grpc"}}

// startShared starts a span that has the tags of shared, which are server and component.
func (o *owner) startShared(shared *SharedTags, parent *jaeger.SpanContext) *jaeger.Span {
	s, _ := o.engine.Start(&StartInfo{Name: "x", Time: time.Now(), StartTags: server, Shared: shared}, parent, component)
	return s
}

func (o *owner) finishShared(s *jaeger.Span, shared *SharedTags, last ...opentracing.Tag) {
	o.engine.Finish(s, time.Time{}, nil, last, shared)
}

func tagList(s *jaeger.Span) (list []opentracing.Tag) {
	ReadTags(s, func(tags []opentracing.Tag) { list = tags })
	return list
}

func wantTags(t *testing.T, s *jaeger.Span, more ...opentracing.Tag) {
	t.Helper()
	want := append([]opentracing.Tag{server[0], component[0]}, more...)
	if diff := cmp.Diff(want, tagList(s)); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func code(n int) opentracing.Tag { return opentracing.Tag{Key: "code", Value: n} }

func TestSpansWithTheSameTagsShareThem(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	parent, shared := o.caller(t, "uber-trace-id", "a:b:0:1"), NewSharedTags(server, component)
	var spans []*jaeger.Span
	for round := range 3 {
		for end := range sharedEnds {
			s := o.startShared(shared, parent)
			wantTags(t, s)
			o.finishShared(s, shared, code(end))
			wantTags(t, s, code(end))
			if spans = append(spans, s); round > 0 && &tagList(s)[0] != &tagList(spans[end])[0] {
				t.Errorf("round %d: the span that ends with %d has a list of its own", round, end)
			}
		}
	}
	for i, s := range spans {
		wantTags(t, s, code(i%sharedEnds))
	}
}

func TestTagsOfOneSpanAreNotShared(t *testing.T) {
	for name, set := range map[string]func(s *jaeger.Span, own opentracing.Tag){
		"SetTag":        func(s *jaeger.Span, own opentracing.Tag) { s.SetTag(own.Key, own.Value) },
		"SetTags":       func(s *jaeger.Span, own opentracing.Tag) { SetTags(s, own) },
		"SetTagsWithin": func(s *jaeger.Span, own opentracing.Tag) { SetTagsWithin(s, 2, isKind, own, own) },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOwner(t, jaeger.NewConstSampler(true))
			parent, shared := o.caller(t, "uber-trace-id", "a:b:0:1"), NewSharedTags(server, component)
			before, late := o.startShared(shared, parent), o.startShared(shared, parent)
			early := []*jaeger.Span{o.startShared(shared, parent), o.startShared(shared, parent)}
			o.finishShared(before, shared, code(0))
			for i, s := range early {
				set(s, opentracing.Tag{Key: "own", Value: i})
			}
			for _, s := range early {
				o.finishShared(s, shared, code(0))
			}
			o.finishShared(late, shared, code(0))
			set(late, opentracing.Tag{Key: "own"}) // after the end, which users should not do
			after := o.startShared(shared, parent)
			wantTags(t, after)
			o.finishShared(after, shared, code(0))
			wantTags(t, before, code(0))
			wantTags(t, after, code(0))
			for i, s := range early {
				wantTags(t, s, opentracing.Tag{Key: "own", Value: i}, code(0))
			}
		})
	}
}

// A root span has the tags of its sampler, so that it has a list of its own.
func TestRootSpansShareNoTags(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	shared := NewSharedTags(server, component)
	s := o.startShared(shared, nil)
	o.finishShared(s, shared, code(0))
	want := []string{"sampler.type", "sampler.param", "span.kind", "component", "code"}
	var got []string
	for _, tag := range tagList(s) {
		got = append(got, tag.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestSharedTagsConcurrently(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	shared := NewSharedTags(server, component)
	var all sync.WaitGroup
	for end := range 2 * sharedEnds {
		parent := o.caller(t, "uber-trace-id", fmt.Sprintf("a:%x:0:1", end+1))
		all.Go(func() {
			for i := range 200 {
				s := o.startShared(shared, parent)
				if last := code(end); i%5 > 0 {
					o.finishShared(s, shared, last)
					wantTags(t, s, last)
				} else {
					s.SetTag("own", i)
					o.finishShared(s, shared, last)
					wantTags(t, s, opentracing.Tag{Key: "own", Value: i}, last)
				}
			}
		})
	}
	all.Wait()
}

func TestSharedTagsAlloc(t *testing.T) {
	o := newOwner(t, jaeger.NewConstSampler(true))
	o.engine.Reporter = jaeger.NewNullReporter()
	parent, shared, last := o.caller(t, "uber-trace-id", "a:b:0:1"), NewSharedTags(server, component), []opentracing.Tag{code(0)}
	got := testing.AllocsPerRun(100, func() {
		o.finishShared(o.startShared(shared, parent), shared, last...)
	})
	if got > 1 {
		t.Errorf("%v allocations, want 1, which is the span", got)
	}
}

package hooks_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/mocktracer"

	"github.com/spanloom/spanloom/internal/hooks"
	"github.com/spanloom/spanloom/internal/rpcspan"
)

type outcome struct {
	note    string
	isError bool
}

type (
	hook   = hooks.Hook[string, outcome]
	list   = hooks.List[string, outcome]
	joined = hooks.Joined[string, outcome]
)

func field(o *outcome) *bool { return &o.isError }

// calls records what is called.
type calls struct{ got []string }

func (c *calls) outcomeHook(name string, set bool) hook {
	return hook{Ended: func(r string, _ opentracing.Span, o *outcome) {
		c.got = append(c.got, name+" "+r+" "+o.note)
		o.note, o.isError = "overwritten", set
	}}
}

func (c *calls) observer(name string, identity any) hook {
	return hook{
		Observer: identity,
		Started:  func(r string) { c.got = append(c.got, name+" started "+r) },
		Ended:    func(r string, _ opentracing.Span, o *outcome) { c.got = append(c.got, name+" ended "+r+" "+o.note) },
	}
}

func (c *calls) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(c.got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(c.got, "\n"), strings.Join(want, "\n"))
	}
	c.got = nil
}

func started(tracer *mocktracer.MockTracer) *rpcspan.Span {
	s := new(rpcspan.Span)
	s.Start(tracer, &rpcspan.StartInfo{Name: "x", StartTags: rpcspan.NewStartTags(ext.SpanKindRPCServerEnum)}, &rpcspan.Parent{})
	return s
}

func ended(s *rpcspan.Span, l list, isError bool) bool {
	o := hooks.Outcome[outcome]{Facts: outcome{note: "fact"}, Field: field, IsError: isError}
	l.Ended(s, "r", &o)
	return o.IsError
}

func TestHooksSeeFactsAndTheErrorOfTheOneBefore(t *testing.T) {
	c, seen := &calls{}, []bool(nil)
	look := hook{Ended: func(_ string, _ opentracing.Span, o *outcome) { seen = append(seen, o.isError) }}
	l := list{look, c.outcomeHook("a", true), look, c.outcomeHook("b", false), look}
	if ended(started(mocktracer.New()), l, false) {
		t.Error("the last hook's decision does not count")
	}
	c.want(t, "a r fact", "b r fact")
	if want := []bool{false, true, false}; !slices.Equal(seen, want) {
		t.Errorf("hooks saw %v, want %v", seen, want)
	}
}

func TestOutcomeHooksNeedASpan(t *testing.T) {
	c, without := &calls{}, new(rpcspan.Span)
	l := list{c.outcomeHook("hook", true), c.observer("observer", 1)}
	if !l.HasObserver() || (list{l[0]}).HasObserver() {
		t.Error("observers are taken for hooks, or the other way round")
	}
	l.Started(without, "r")
	if ended(without, l, false) {
		t.Error("a hook that is not called decides")
	}
	c.want(t, "observer started r", "observer ended r fact")
}

func TestPanickingHooksAreContained(t *testing.T) {
	c, tracer := &calls{}, mocktracer.New()
	broken := hook{
		Observer: new(int),
		Started:  func(string) { panic("started") },
		Ended:    func(_ string, _ opentracing.Span, o *outcome) { o.isError = true; panic("ended") },
	}
	l, s := list{broken, c.observer("observer", 1)}, started(tracer)
	l.Started(s, "r")
	if ended(s, l, false) {
		t.Error("a hook that panicked decides")
	}
	if hooks.Call(s, 7, func() int { panic("called") }) != 7 || hooks.Call(s, 7, func() int { return 8 }) != 8 {
		t.Error("a panic decides, or a result does not")
	}
	s.Finish(s.StartTime(), nil, nil)
	c.want(t, "observer started r", "observer ended r fact")
	if n := tracer.FinishedSpans()[0].Tag("spanloom.hook_panics"); n != 3 {
		t.Errorf("%v panics counted, want 3", n)
	}
}

// incomparable observers panic when they are compared, one of them by what is inside.
type incomparable struct{ inside any }

func TestSharedObserversAreNotifiedOnce(t *testing.T) {
	c := &calls{}
	shared, slice, inside := new(int), []int{1}, incomparable{[]int{1}}
	for name, tt := range map[string]struct {
		inner, outer any
		kept         int
	}{
		"the same":               {shared, shared, 0},
		"another":                {shared, new(int), 1},
		"another type":           {1, "1", 1},
		"incomparable":           {slice, slice, 1},
		"incomparable inside":    {inside, inside, 1},
		"comparable inside":      {incomparable{1}, incomparable{1}, 0},
		"one comparable, one no": {incomparable{1}, inside, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inner := list{c.outcomeHook("hook", true), c.observer("inner", tt.inner)}
			if kept := inner.Without(list{c.outcomeHook("hook", true), c.observer("outer", tt.outer)}); len(kept) != 1+tt.kept {
				t.Errorf("%d of 2 kept, want %d", len(kept), 1+tt.kept)
			}
		})
	}
}

func TestJoinedHooksAreCalledOnce(t *testing.T) {
	c, s, shared := &calls{}, started(mocktracer.New()), new(int)
	own := list{c.observer("own", shared)}
	first, second := new(int), new(int)
	var j joined
	if !j.Add(s, "r", first, list{c.outcomeHook("first", true), c.observer("same", shared)}, own) ||
		!j.Add(s, "r", first, list{c.observer("again", 1)}, own) ||
		!j.Add(s, "r", second, list{c.observer("second", 2)}, own) ||
		!j.Add(s, "r", new(int), nil, own) {
		t.Error("not added")
	}
	c.want(t, "second started r")
	if j.CloseEmpty() {
		t.Error("closed with hooks in it")
	}
	o := hooks.Outcome[outcome]{Facts: outcome{note: "fact"}, Field: field}
	j.Ended(s, "r", &o, own)
	c.want(t, "first r fact", "own ended r fact", "second ended r fact")
	if !o.IsError || j.Add(s, "r", new(int), own, nil) || !j.CloseEmpty() {
		t.Errorf("error %t, or open after the end", o.IsError)
	}
	c.want(t)

	var empty joined
	for range 2 {
		if !empty.CloseEmpty() || empty.Add(s, "r", first, own, nil) {
			t.Error("an empty list is not closed")
		}
	}
}

func TestJoiningInParallel(t *testing.T) {
	s, counts := started(mocktracer.New()), make(chan string, 100)
	var j joined
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			h := hook{
				Observer: i, Started: func(string) { counts <- "started" },
				Ended: func(string, opentracing.Span, *outcome) { counts <- "ended" },
			}
			j.Add(s, "r", &i, list{h}, nil)
		})
	}
	wg.Wait()
	j.Ended(s, "r", &hooks.Outcome[outcome]{Field: field}, nil)
	close(counts)
	n := map[string]int{}
	for what := range counts {
		n[what]++
	}
	if n["started"] != 10 || n["ended"] != 10 {
		t.Errorf("%v, want 10 of each", n)
	}
}

func TestObserversSeeWhatHooksDecide(t *testing.T) {
	var seen []bool
	look := hook{Observer: new(int), Ended: func(_ string, _ opentracing.Span, o *outcome) { seen = append(seen, o.isError) }}
	decide := (&calls{}).outcomeHook("decides", true)
	ended(started(mocktracer.New()), list{look, decide}, false)

	var j joined
	s, o := started(mocktracer.New()), hooks.Outcome[outcome]{Field: field}
	j.Add(s, "r", new(int), list{decide}, nil)
	j.Ended(s, "r", &o, list{look})
	if want := []bool{true, true}; !slices.Equal(seen, want) || !o.IsError {
		t.Errorf("observers before the hooks, and of the middleware in front, saw %v, want %v", seen, want)
	}
}

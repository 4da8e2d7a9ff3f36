package traceview

import (
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// The bound of what is slow is the 95th percentile, and at least half more than the median.
func TestSlowIsLongerThanUsual(t *testing.T) {
	ones := func(n int, d time.Duration) (all []time.Duration) {
		for range n {
			all = append(all, d)
		}
		return all
	}
	for name, c := range map[string]struct {
		before     []time.Duration
		took       time.Duration
		slow, none bool
	}{
		"too few to know":                 {ones(usualSpans-2, ms(10)), ms(500), false, true},
		"just enough":                     {ones(usualSpans-1, ms(10)), ms(500), true, false},
		"as usual":                        {ones(50, ms(10)), ms(10), false, false},
		"a little longer than the others": {ones(50, ms(10)), ms(14), false, false},
		"half longer than the others":     {ones(50, ms(10)), ms(16), true, false},
		"as long as one in ten":           {append(ones(90, ms(10)), ones(10, ms(100))...), ms(100), false, false},
		"longer than one in ten":          {append(ones(90, ms(10)), ones(10, ms(100))...), ms(150), true, false},
		"longer than one in fifty":        {append(ones(98, ms(10)), ones(2, ms(1000))...), ms(100), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, Config{})
			for n, d := range c.before {
				put(t, v, "shop", root(uint64(n+1), noon, d))
			}
			put(t, v, "shop", root(1000, noon.Add(time.Second), c.took))
			snap, _ := v.store.get(id(1000))
			if slow := v.store.slowness().isSlow(snap.root); slow != c.slow {
				t.Errorf("slow is %t, want %t", slow, c.slow)
			}
			if none := v.store.usual(snap.root) == ""; none != c.none {
				t.Errorf("%q is what is usual", v.store.usual(snap.root))
			}
			row := strings.Contains(get(t, v, "/debug/traces/"), "usually 10")
			_, matched := v.store.find(mustFilter(t, "slow"), 0)
			if row != c.slow || (matched > 0) != c.slow {
				t.Errorf("the list marks it: %t; the search finds %d; want %t", row, matched, c.slow)
			}
		})
	}
}

func mustFilter(t *testing.T, q string) *filter {
	t.Helper()
	clauses, problems := parseSearch(q)
	if problems != nil {
		t.Fatal(problems)
	}
	return &filter{clauses: clauses}
}

// Each kind of span is compared with its own operation.
func TestSlowIsOfItsOwnOperation(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(100) {
		quick, slow := root(n+1, noon, ms(1)), root(n+1001, noon, ms(1000), tag("span.kind", "client"))
		put(t, v, "shop", quick)
		put(t, v, "shop", slow)
	}
	put(t, v, "stock", root(5000, noon, ms(1000)))
	bounds := v.store.slowness()
	for name, c := range map[string]struct {
		service, kind string
		took          time.Duration
		want          bool
	}{
		"of the quick":           {"shop", "", ms(10), true},
		"of the slow":            {"shop", "client", ms(1000), false},
		"of another service":     {"stock", "", ms(1000), false},
		"of no operation at all": {"mail", "", ms(1000), false},
	} {
		t.Run(name, func(t *testing.T) {
			sp := &span{Span: model.Span{Name: "GET /", Duration: c.took}, kind: c.kind, process: &process{Process: model.Process{Service: c.service}}}
			if got := bounds.isSlow(sp); got != c.want {
				t.Errorf("%t, want %t", got, c.want)
			}
		})
	}
}

// What is usual is looked up anew as an operation gets slower.
func TestUsualMovesWithTheOperation(t *testing.T) {
	v := newView(t, Config{})
	n := uint64(0)
	send := func(count int, d time.Duration) {
		for range count {
			n++
			put(t, v, "shop", root(n, noon, d))
		}
	}
	send(100, ms(10))
	sp := &span{Span: model.Span{Name: "GET /", Duration: ms(50)}, process: &process{Process: model.Process{Service: "shop"}}}
	if !v.store.slowness().isSlow(sp) {
		t.Error("50 ms are not slow among 10 ms")
	}
	send(300, ms(60))
	if v.store.slowness().isSlow(sp) {
		t.Error("50 ms are slow among 60 ms")
	}
}

package traceview_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
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
		"too few to know":                 {ones(traceview.UsualSpans-2, ms(10)), ms(500), false, true},
		"just enough":                     {ones(traceview.UsualSpans-1, ms(10)), ms(500), true, false},
		"as usual":                        {ones(50, ms(10)), ms(10), false, false},
		"a little longer than the others": {ones(50, ms(10)), ms(14), false, false},
		"half longer than the others":     {ones(50, ms(10)), ms(16), true, false},
		"as long as one in ten":           {append(ones(90, ms(10)), ones(10, ms(100))...), ms(100), false, false},
		"longer than one in ten":          {append(ones(90, ms(10)), ones(10, ms(100))...), ms(150), true, false},
		"longer than one in fifty":        {append(ones(98, ms(10)), ones(2, ms(1000))...), ms(100), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			for n, d := range c.before {
				put(t, v, "shop", root(uint64(n+1), noon, d))
			}
			put(t, v, "shop", root(1000, noon.Add(time.Second), c.took))
			usual := strings.Contains(get(t, v, "/debug/traces/trace/"+traceHex(id(1000))+"/span/"+spanHex(1000)), "half take up to ")
			if usual == c.none {
				t.Errorf("what is usual is shown: %t", usual)
			}
			row := strings.Contains(get(t, v, "/debug/traces/"), "usually 10")
			found := isSlow(t, v, 1000)
			if row != c.slow || found != c.slow {
				t.Errorf("the list marks it: %t; the search finds it: %t; want %t", row, found, c.slow)
			}
		})
	}
}

// Each kind of span is compared with its own operation.
func TestSlowIsOfItsOwnOperation(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(100) {
		quick, slow := root(n+1, noon, ms(1)), root(n+1001, noon, ms(1000), tag("span.kind", "client"))
		put(t, v, "shop", quick)
		put(t, v, "shop", slow)
	}
	put(t, v, "stock", root(5000, noon, ms(1000)))
	for name, c := range map[string]struct {
		trace         uint64
		service, kind string
		took          int
		want          bool
	}{
		"of the quick":           {6001, "shop", "", 10, true},
		"of the slow":            {6002, "shop", "client", 1000, false},
		"of another service":     {6003, "stock", "", 1000, false},
		"of no operation at all": {6004, "mail", "", 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := root(c.trace, noon, ms(c.took))
			if c.kind != "" {
				s.Tags = []model.Tag{tag("span.kind", c.kind)}
			}
			put(t, v, c.service, s)
			if got := isSlow(t, v, c.trace); got != c.want {
				t.Errorf("slow: %t, want %t", got, c.want)
			}
		})
	}
}

// isSlow reports whether the search for slow traces finds one.
func isSlow(t *testing.T, v *traceview.View, trace uint64) bool {
	t.Helper()
	return slices.Contains(listed(t, v, "limit=2000&q=slow"), fmt.Sprintf("%04x", trace))
}

// What is usual is looked up anew as an operation gets slower.
func TestUsualMovesWithTheOperation(t *testing.T) {
	v := newView(t, traceview.Config{})
	n := uint64(0)
	send := func(count int, d time.Duration) {
		for range count {
			n++
			put(t, v, "shop", root(n, noon, d))
		}
	}
	send(100, ms(10))
	put(t, v, "shop", root(5000, noon, ms(50)))
	if !isSlow(t, v, 5000) {
		t.Error("50 ms are not slow among 10 ms")
	}
	send(300, ms(60))
	if isSlow(t, v, 5000) {
		t.Error("50 ms are slow among 60 ms")
	}
}

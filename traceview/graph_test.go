package traceview

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func callsOf(pairs ...string) (calls []callCount) {
	for _, pair := range pairs {
		parent, child, _ := strings.Cut(pair, ">")
		calls = append(calls, callCount{edgeKey{parent, child}, edge{count: 1}})
	}
	return calls
}

// largeSystem is 25 services, each of which calls up to three further ones.
func largeSystem() (services []string, calls []callCount) {
	for n := range 25 {
		services = append(services, fmt.Sprintf("s%02d", n))
		for _, callee := range []int{2*n + 1, 2*n + 2, (n*7 + 3) % 25} {
			if callee > n && callee < 25 {
				calls = append(calls, callsOf(fmt.Sprintf("s%02d>s%02d", n, callee))...)
			}
		}
	}
	return services, calls
}

func TestGraphPutsCallersLeft(t *testing.T) {
	for name, c := range map[string]struct {
		calls []string
		want  string // services of each column, by name
	}{
		"a chain":            {[]string{"a>b", "b>c"}, "a|b|c"},
		"a long edge":        {[]string{"a>b", "b>c", "a>c"}, "a|b|c"},
		"two roots":          {[]string{"a>c", "b>c"}, "ab|c"},
		"a circle":           {[]string{"a>b", "b>a"}, "a|b"},
		"a circle further":   {[]string{"a>b", "b>c", "c>b"}, "a|b|c"},
		"itself":             {[]string{"a>a", "a>b"}, "a|b"},
		"no one":             {nil, "abc"},
		"all call all":       {[]string{"a>b", "b>a", "b>c", "c>b", "a>c", "c>a"}, "a|b|c"},
		"unknown services":   {[]string{"x>a", "a>y"}, "abc"},
		"a diamond of calls": {[]string{"a>b", "a>c", "b>d", "c>d"}, "a|bc|d"},
	} {
		t.Run(name, func(t *testing.T) {
			calls := callsOf(c.calls...)
			services := []string{"a", "b", "c"}
			if len(calls) > 0 {
				services = nil
			}
			for _, call := range calls {
				for _, s := range []string{call.parent, call.child} {
					if s < "x" && !slices.Contains(services, s) {
						services = append(services, s)
					}
				}
			}
			if name == "unknown services" {
				services = []string{"a", "b", "c"}
			}
			g := newGraph(services, calls)
			var got []string
			for _, column := range g.columns {
				var names []string
				for _, n := range column {
					names = append(names, n.name)
				}
				slices.Sort(names)
				got = append(got, strings.Join(names, ""))
			}
			if s := strings.Join(got, "|"); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

func TestGraphHasFewCrossings(t *testing.T) {
	services, calls := largeSystem()
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(services), func(i, k int) { services[i], services[k] = services[k], services[i] })
	g := newGraph(services, calls)
	found := g.crossings()
	g.seat()
	for _, column := range g.columns { // as they came
		slices.SortStableFunc(column, func(a, b *graphNode) int { return slices.Index(services, a.name) - slices.Index(services, b.name) })
		seat(column)
	}
	t.Logf("%d crossings, %d without an order", found, g.crossings())
	if found > 35 || found*2 > g.crossings() {
		t.Errorf("%d crossings, %d without an order", found, g.crossings())
	}
}

// No box lies on another one, and no line runs through a box that it does not lead to.
func TestGraphIsReadable(t *testing.T) {
	services, calls := largeSystem()
	c := servicesContent{}
	for _, name := range services {
		c.Services = append(c.Services, serviceRow{Name: name, Spans: 1})
	}
	c.draw(calls, "services")
	if c.Width > 1230 {
		t.Errorf("the picture of 25 services is %d pixels wide", c.Width)
	}
	for i, a := range c.Boxes {
		if a.X < 0 || a.Y < 0 || a.X+a.Width > c.Width || a.Y+a.Height > c.Height {
			t.Errorf("%s is out of the picture: %+v", a.Name, a)
		}
		for _, b := range c.Boxes[i+1:] {
			if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
				t.Errorf("%s lies on %s", a.Name, b.Name)
			}
		}
	}
	level := regexp.MustCompile(`(\d+) (\d+)H(\d+)`)
	lines := 0
	for _, arrow := range c.Arrows {
		for _, m := range level.FindAllStringSubmatch(arrow.Path, -1) {
			lines++
			from, _ := strconv.Atoi(m[1])
			y, _ := strconv.Atoi(m[2])
			to, _ := strconv.Atoi(m[3])
			for _, b := range c.Boxes {
				if from < b.X+b.Width && b.X < to && b.Y < y && y < b.Y+b.Height {
					t.Errorf("%s runs through %s", arrow.Title, b.Name)
				}
			}
		}
	}
	if lines == 0 {
		t.Error("no line passes a column: nothing was checked")
	}
}

func TestGraphNearAService(t *testing.T) {
	calls := callsOf("a>b", "b>c", "c>d", "d>e", "b>x", "y>c", "c>c", "e>a")
	for _, c := range []struct {
		depth int
		want  string
	}{{1, "bcdy"}, {2, "abcdey"}, {3, "abcdey"}} {
		t.Run(fmt.Sprintf("%d calls away", c.depth), func(t *testing.T) {
			var got []string
			for name := range near(calls, "c", c.depth) {
				got = append(got, name)
			}
			slices.Sort(got)
			if s := strings.Join(got, ""); s != c.want {
				t.Errorf("%d calls away: %s, want %s", c.depth, s, c.want)
			}
		})
	}
}

// Two columns whose order by name crosses every arrow are drawn without one that crosses.
func TestServicesAreOrderedToFewCrossings(t *testing.T) {
	c := servicesContent{Services: []serviceRow{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "x"}, {Name: "y"}, {Name: "z"}}}
	one := edge{count: 1}
	c.draw([]callCount{{edgeKey{"a", "z"}, one}, {edgeKey{"b", "y"}, one}, {edgeKey{"c", "x"}, one}}, "services")
	at := map[string]int{}
	for _, b := range c.Boxes {
		at[b.Name] = b.Y
	}
	if at["a"] != at["z"] || at["b"] != at["y"] || at["c"] != at["x"] {
		t.Errorf("the arrows cross: %v", at)
	}
}

func TestLabelsOfCrossingCallsStandApart(t *testing.T) {
	c := servicesContent{Services: []serviceRow{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}}}
	c.draw([]callCount{{edgeKey{"a", "c"}, edge{count: 1}}, {edgeKey{"a", "d"}, edge{count: 1}},
		{edgeKey{"b", "c"}, edge{count: 1}}, {edgeKey{"b", "d"}, edge{count: 1}}}, "services")
	const lineHeight = 14
	for i, a := range c.Arrows {
		for _, b := range c.Arrows[:i] {
			if a.LabelX == b.LabelX && max(a.LabelY-b.LabelY, b.LabelY-a.LabelY) < lineHeight {
				t.Errorf("%q and %q overlap", a.Title, b.Title)
			}
		}
	}
}

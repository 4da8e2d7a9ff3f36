package traceview

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

type servicesContent struct {
	Since         string
	Width, Height int
	Boxes         []box
	Arrows        []arrow
	Calls         []shownCall
	Services      []serviceRow
	Focus         string // only what is near this service is drawn
	Depth         int
	Depths        []int
	AllLink       string // draws everything
	Hidden        int    // services that are not drawn
}

// box is a service in the picture.
type box struct {
	Name, Short, Color, Link string
	X, Y, Width, Height      int
	Text                     string
	Failed, Focus            bool
}

// arrow is the calls between two services in the picture.
type arrow struct {
	Path, Label, Title string
	LabelX, LabelY     int
	Class              string // by the share of calls that failed
	Weight             string // width of the line
}

type shownCall struct {
	Parent, Child           string
	ParentColor, ChildColor string
	Count                   int
	Failed                  int
}

type serviceRow struct {
	Name, Color, Link, Operations string
	Spans, Failed                 int
}

func (v *View) servicesPage(w http.ResponseWriter, r *http.Request) {
	calls := v.store.allCalls()
	c := servicesContent{}
	v.store.mu.Lock()
	c.Since = v.clock(v.store.totals.since)
	for name, svc := range v.store.services {
		if svc.spans == 0 {
			continue
		}
		q := url.Values{"service": {name}}.Encode()
		c.Services = append(c.Services, serviceRow{
			Name: name, Color: colorClass(svc.color), Spans: svc.spans, Failed: svc.failed,
			Link: base(r) + "?" + q, Operations: base(r) + "operations?" + q,
		})
	}
	v.store.mu.Unlock()
	slices.SortFunc(c.Services, func(a, b serviceRow) int { return cmp.Compare(a.Name, b.Name) })
	colorOf := map[string]string{}
	for _, svc := range c.Services {
		colorOf[svc.Name] = svc.Color
	}
	for _, call := range calls {
		c.Calls = append(c.Calls, shownCall{
			call.parent, call.child, colorOf[call.parent], colorOf[call.child], call.count, call.failed,
		})
	}
	c.Depths = []int{1, 2, 3}
	c.Depth = 2
	if n, err := strconv.Atoi(r.URL.Query().Get("depth")); err == nil && n >= 1 && n <= 3 {
		c.Depth = n
	}
	c.AllLink = base(r) + "services"
	if focus := r.URL.Query().Get("focus"); colorOf[focus] != "" {
		c.Focus = focus
	}
	c.draw(calls, c.AllLink)
	v.show(w, r, servicesTemplate, http.StatusOK, page{Title: "Services", Section: "services", Content: c})
}

// The picture's measures, in pixels.
const (
	boxWidth, boxHeight = 196, 52
	gapX, gapY          = 120, 28
	margin              = 16
	maxBoxes            = 60
)

// draw arranges the services in columns: callers left of those they call. A box leads to the picture of what is near
// its service.
func (c *servicesContent) draw(calls []callCount, page string) {
	shown := slices.Clone(c.Services)
	if c.Focus != "" {
		around := near(calls, c.Focus, c.Depth)
		shown = slices.DeleteFunc(shown, func(s serviceRow) bool { return !around[s.Name] })
		calls = slices.DeleteFunc(slices.Clone(calls), func(e callCount) bool {
			return !around[e.parent] || !around[e.child]
		})
	}
	c.Hidden = len(c.Services) - len(shown)
	if len(shown) > maxBoxes {
		return // the tables say it better
	}
	for i := range shown {
		if shown[i].Name != c.Focus {
			shown[i].Link = page + "?" + url.Values{"focus": {shown[i].Name}}.Encode()
		}
	}
	places := c.drawBoxes(shown, layers(shown, calls), calls)
	most := 1
	for _, call := range calls {
		most = max(most, call.count)
	}
	for _, call := range calls {
		from, known := places[call.parent]
		to, knownToo := places[call.child]
		switch {
		case !known || !knownToo:
		case to.X > from.X:
			c.Arrows = append(c.Arrows, forth(from, to, call, most))
		default:
			c.Height += 14
			c.Arrows = append(c.Arrows, around(from, to, call, most, c.Height-margin/2))
		}
	}
}

// drawBoxes places each service in its column and returns the boxes by name.
func (c *servicesContent) drawBoxes(shown []serviceRow, layer map[string]int, calls []callCount) map[string]box {
	var columns [][]serviceRow
	rows := 0
	for _, svc := range shown {
		l := layer[svc.Name]
		for len(columns) <= l {
			columns = append(columns, nil)
		}
		columns[l] = append(columns[l], svc)
		rows = max(rows, len(columns[l]))
	}
	uncross(columns, calls)
	c.Width = 2*margin + len(columns)*boxWidth + max(len(columns)-1, 0)*gapX
	c.Height = 2*margin + rows*boxHeight + max(rows-1, 0)*gapY
	places := map[string]box{}
	for l, column := range columns {
		top := (c.Height - len(column)*boxHeight - (len(column)-1)*gapY) / 2
		for k, svc := range column {
			b := box{
				Name: svc.Name, Short: short(svc.Name, 19), Color: svc.Color, Link: svc.Link,
				X: margin + l*(boxWidth+gapX), Y: top + k*(boxHeight+gapY), Width: boxWidth, Height: boxHeight,
				Text: plural(svc.Spans, "span"), Failed: svc.Failed > 0, Focus: svc.Name == c.Focus,
			}
			if svc.Failed > 0 {
				b.Text += ", " + percent(svc.Failed, svc.Spans) + " failed"
			}
			places[svc.Name] = b
			c.Boxes = append(c.Boxes, b)
		}
	}
	return places
}

// layers gives each service its column: one more than the furthest of its callers, as far as there are no circles.
func layers(services []serviceRow, calls []callCount) map[string]int {
	layer := map[string]int{}
	callers := map[string]int{}
	for _, c := range calls {
		callers[c.child]++
	}
	var queue []string
	seen := map[string]bool{}
	push := func(name string) {
		if !seen[name] {
			seen[name] = true
			queue = append(queue, name)
		}
	}
	for _, svc := range services {
		if callers[svc.Name] == 0 {
			push(svc.Name)
		}
	}
	for range services {
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			for _, c := range calls {
				if c.parent != name || seen[c.child] {
					continue
				}
				layer[c.child] = max(layer[c.child], layer[name]+1)
				if callers[c.child]--; callers[c.child] == 0 {
					push(c.child)
				}
			}
		}
		for _, svc := range services { // a circle: enter it somewhere
			if !seen[svc.Name] {
				push(svc.Name)
				break
			}
		}
	}
	return layer
}

func newArrow(call callCount, most int) arrow {
	a := arrow{
		Title: call.parent + " calls " + call.child + " " + plural(call.count, "time") + ", " +
			percent(call.failed, call.count) + " failed",
		Label:  showCount(call.count),
		Class:  errorClass(call.failed, call.count),
		Weight: decimal(1.2 + 2.3*float64(call.count)/float64(most)),
	}
	if call.failed > 0 {
		a.Label += " · " + percent(call.failed, call.count)
	}
	return a
}

const arrowHead = 6

// forth goes to a column further right.
func forth(from, to box, call callCount, most int) arrow {
	a := newArrow(call, most)
	x1, y1 := from.X+from.Width, from.Y+from.Height/2
	x2, y2 := to.X-arrowHead, to.Y+to.Height/2
	bend := (x2 - x1) / 2
	a.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x1, y1, x1+bend, y1, x2-bend, y2, x2, y2)
	a.LabelX, a.LabelY = x1+(x2-x1)*576/1000, y1+(y2-y1)*648/1000+4 // on the curve, beyond where others cross it
	return a
}

// around goes to any other column, below everything else.
func around(from, to box, call callCount, most, low int) arrow {
	a := newArrow(call, most)
	x1, y1 := from.X+from.Width/2, from.Y+from.Height
	x2, y2 := to.X+to.Width/2, to.Y+to.Height+arrowHead
	a.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %dS%d %d %d %d", x1, y1, x1, low, x1, low, (x1+x2)/2, low, x2, low, x2, y2)
	a.LabelX, a.LabelY = (x1+x2)/2, low+4
	return a
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

package traceview

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// The picture's measures, in pixels.
const (
	boxHeight = 44
	gapY      = 16
	margin    = 16
	maxBoxes  = 60
	maxLabels = 40 // arrows that all have a label; of more, those that failed have one
	arrowHead = 6
)

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

// draw makes the picture of the services, or of those near the one in focus.
func (c *servicesContent) draw(calls []callCount, page string) {
	shown := slices.Clone(c.Services)
	if c.Focus != "" {
		around := near(calls, c.Focus, c.Depth)
		shown = slices.DeleteFunc(shown, func(s serviceRow) bool { return !around[s.Name] })
	}
	c.Hidden = len(c.Services) - len(shown)
	if c.TooMany = len(shown) > maxBoxes; c.TooMany {
		return
	}
	var names []string
	for _, s := range shown {
		names = append(names, s.Name)
	}
	g := newGraph(names, calls)
	s := sizesOf(g)
	c.Width = 2*margin + len(g.columns)*s.box + max(len(g.columns)-1, 0)*s.gap
	c.drawBoxes(g, s, shown, page)
	c.drawArrows(g, s)
}

// sizes are the widths of boxes and of the gaps between columns.
type sizes struct{ box, gap int }

// sizesOf makes up to six columns fit a screen of 1,280 pixels.
func sizesOf(g *graph) sizes {
	const room = 1190
	s := sizes{196, 110}
	if n := len(g.columns); n > 4 {
		s.gap = 70
		s.box = min(max((room-s.gap*(n-1))/n, 136), s.box)
	}
	return s
}

func (s sizes) left(n *graphNode) int { return margin + n.column*(s.box+s.gap) }

func (c *servicesContent) drawBoxes(g *graph, s sizes, shown []serviceRow, page string) {
	byName := map[string]serviceRow{}
	for _, svc := range shown {
		byName[svc.Name] = svc
	}
	for _, n := range g.nodes {
		c.Height = max(c.Height, int(n.y+n.height/2)+2*margin)
		if n.name == "" {
			continue
		}
		svc := byName[n.name]
		b := box{
			Name: svc.Name, Short: short(svc.Name, (s.box-24)/8), Color: svc.Color, Link: svc.Link,
			X: s.left(n), Y: margin + int(n.y-n.height/2), Width: s.box, Height: boxHeight,
			Text: plural(svc.Spans, "span"), Failed: svc.Failed > 0, Focus: svc.Name == c.Focus,
		}
		if failed := percent(svc.Failed, svc.Spans) + " failed"; svc.Failed > 0 {
			if b.Text += ", " + failed; len(b.Text)*6 > s.box-20 {
				b.Text = failed
			}
		}
		if !b.Focus {
			b.Link = page + "?" + url.Values{"focus": {svc.Name}}.Encode()
		}
		c.Boxes = append(c.Boxes, b)
	}
}

func (c *servicesContent) drawArrows(g *graph, s sizes) {
	most := 1
	for _, e := range g.edges {
		most = max(most, e.call.count)
	}
	byName := map[string]*graphNode{}
	for _, n := range g.nodes {
		byName[n.name] = n
	}
	for _, e := range g.edges {
		a := newArrow(e.call, most)
		switch failed := e.call.failed > 0; {
		case failed && s.gap < 100:
			a.Label = percent(e.call.failed, e.call.count)
		case !failed && len(g.edges) > maxLabels:
			a.Label = ""
		}
		if e.nodes != nil {
			a.lead(e.nodes, s)
		} else {
			c.Height += 14
			a.leadAround(byName[e.call.parent], byName[e.call.child], s, c.Height-margin/2)
		}
		c.Arrows = append(c.Arrows, a)
	}
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

// lead draws the arrow through its nodes: level where it passes a column, curved between columns.
func (a *arrow) lead(nodes []*graphNode, s sizes) {
	var path strings.Builder
	at := func(n *graphNode) int { return margin + int(n.y) }
	x, y := s.left(nodes[0])+s.box, at(nodes[0])
	fmt.Fprintf(&path, "M%d %d", x, y)
	for i, n := range nodes[1:] {
		x2, y2 := s.left(n), at(n)
		if i == len(nodes)-2 {
			x2 -= arrowHead
		}
		bend := (x2 - x) / 2
		fmt.Fprintf(&path, "C%d %d %d %d %d %d", x+bend, y, x2-bend, y2, x2, y2)
		if i == 0 { // on the curve, beyond where others cross it
			a.LabelX, a.LabelY = x+(x2-x)*576/1000, y+(y2-y)*648/1000+4
		}
		if x, y = x2, y2; i < len(nodes)-2 {
			x += s.box
			fmt.Fprintf(&path, "H%d", x)
		}
	}
	a.Path = path.String()
}

// leadAround draws the arrow below everything else, to a column further left or to its own.
func (a *arrow) leadAround(from, to *graphNode, s sizes, low int) {
	x1, y1 := s.left(from)+s.box/2, margin+int(from.y)+boxHeight/2
	x2, y2 := s.left(to)+s.box/2, margin+int(to.y)+boxHeight/2+arrowHead
	a.Path = fmt.Sprintf("M%d %dC%d %d %d %d %d %dS%d %d %d %d", x1, y1, x1, low, x1, low, (x1+x2)/2, low, x2, low, x2, y2)
	a.LabelX, a.LabelY = (x1+x2)/2, low+4
}

// errorClass colours an arrow by the share of calls that failed.
func errorClass(failed, count int) string {
	switch {
	case failed == 0:
		return ""
	case failed*100 < count*5: // less than 5 %
		return "some"
	}
	return "failed"
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

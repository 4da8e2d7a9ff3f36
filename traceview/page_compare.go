package traceview

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	compareAll    = 200 // paths that are shown even if nothing about them differs
	compareLimit  = 1000
	compareCauses = 5
)

type compareContent struct {
	Sides    [2]comparedTrace
	Ratio    string // how much longer or shorter the second one took
	Delta    string
	Worse    bool
	Swap     string
	Views    []compareView
	Causes   []compareRow
	Rows     []compareRow
	Narrow   bool
	Left     int    // rows that are not shown
	Other    string // link to choose another second trace
	Problems []string
	Nothing  bool // no path differs
}

// comparedTrace is the head of one of the two.
type comparedTrace struct {
	Letter, ID, Color, Service, Name, Date, Duration string
	Spans, Failed                                    int
}

// compareView is a link that shows some of the rows.
type compareView struct {
	Text, Link string
	Count      int
	Chosen     bool
}

// compareRow is one path, ready to be shown.
type compareRow struct {
	Color, Service, Name string
	Depth, Indent        int
	Change               string // new, gone, slower, faster, or ""
	Failing              string
	A, B                 compareCell
	Delta                string
	OwnDelta             string
	Worse, OwnWorse      bool
}

type compareCell struct {
	Spans    int
	Duration string
	Own      string
	Width    string // of its bar
	Link     string // to its slowest span
}

// comparePage shows what is new, gone or slower in trace b beside trace a.
func (v *View) comparePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, problem := v.compared(q.Get("a"))
	if problem != "" {
		v.problem(w, r, http.StatusNotFound, "No such trace", problem)
		return
	}
	if q.Get("b") == "" {
		v.choosePage(w, r, a, nil)
		return
	}
	b, problem := v.compared(q.Get("b"))
	if problem != "" {
		v.choosePage(w, r, a, []string{problem})
		return
	}
	c := v.compareContent(compare(a, b), q)
	v.show(w, r, compareTemplate, http.StatusOK, page{Title: "Compare " + a.root.Name, Section: "trace", Content: c})
}

// compared finds a trace by anything that holds its id.
func (v *View) compared(text string) (snapshot, string) {
	id, ok := parseTraceID(strings.TrimSpace(text))
	if to, found := v.lookFor(text); found {
		id, ok = to.trace, true
	}
	if !ok {
		return snapshot{}, clip(strconv.Quote(text), maxHeadline) + " holds no trace id."
	}
	snap, ok := v.store.get(id)
	if !ok {
		return snapshot{}, "Trace " + traceHex(id) + " has not come yet, or it went to make room for newer ones."
	}
	return snap, ""
}

func (v *View) comparedTrace(letter string, s snapshot, took time.Duration) comparedTrace {
	return comparedTrace{letter, traceHex(s.id), colorClass(s.color(s.root.process.Service)), s.root.process.Service,
		s.root.Name, v.date(s.start), showDuration(took), s.spans, s.failed}
}

func (v *View) compareContent(c *traceDiff, q url.Values) compareContent {
	a, b := &c.sides[0], &c.sides[1]
	out := compareContent{
		Sides: [2]comparedTrace{v.comparedTrace("A", *a, c.took[0]), v.comparedTrace("B", *b, c.took[1])},
		Delta: signed(c.took[1] - c.took[0]), Worse: c.took[1] > c.took[0],
		Ratio: ratio(c.took[0], c.took[1]),
		Swap:  "compare?a=" + traceHex(b.id) + "&b=" + traceHex(a.id), Other: "compare?a=" + traceHex(a.id),
		Nothing: c.counts == counts{},
	}
	rows := out.choose(c, q)
	out.Left = max(len(rows)-compareLimit, 0)
	rows = rows[:min(len(rows), compareLimit)]
	longest, deepest := time.Duration(1), 0
	for _, p := range rows {
		longest = max(longest, p.sides[0].total, p.sides[1].total)
		deepest = max(deepest, p.depth)
	}
	out.Narrow = deepest > wideDepth
	for _, p := range rows {
		row := c.row(p, longest)
		row.Indent = indentOf(p.depth, deepest)
		out.Rows = append(out.Rows, row)
	}
	for _, p := range c.causes(compareCauses) {
		out.Causes = append(out.Causes, c.row(p, longest))
	}
	return out
}

// choose returns the rows of the view that the address names, and links to all views. Without a name it is every row,
// unless they are many and differ in a few places.
func (out *compareContent) choose(c *traceDiff, q url.Values) (rows []*pathNode) {
	by := func(change pathChange) func(*pathNode) bool {
		return func(p *pathNode) bool { return p.change == change }
	}
	chosen := q.Get("show")
	if chosen == "" && len(c.rows) > compareAll && !out.Nothing {
		chosen = "changed"
	}
	rows = c.rows
	for _, view := range []struct {
		key, text string
		count     int
		wanted    func(*pathNode) bool
	}{
		{"all", "all", len(c.rows), nil},
		{"changed", "changed", 0, func(p *pathNode) bool { return p.change != "" || p.failing }},
		{"new", "new in B", c.isNew, by(pathNew)},
		{"gone", "gone", c.gone, by(pathGone)},
		{"slower", "slower", c.slower, by(pathSlower)},
		{"faster", "faster", c.faster, by(pathFaster)},
		{"errors", "other errors", c.failing, func(p *pathNode) bool { return p.failing }},
	} {
		if view.key == "changed" {
			for _, p := range c.rows {
				if view.wanted(p) {
					view.count++
				}
			}
		}
		is := view.key == chosen || chosen == "" && view.wanted == nil
		if is && view.wanted != nil {
			rows = only(c.rows, view.wanted)
		}
		if view.count > 0 || is {
			out.Views = append(out.Views, compareView{view.text, "compare?" + with(q, "show", view.key), view.count, is})
		}
	}
	return rows
}

func (c *traceDiff) row(p *pathNode, longest time.Duration) compareRow {
	row := compareRow{
		Service: p.service, Name: p.name, Depth: p.depth, Indent: p.depth, Change: string(p.change),
		Delta: signed(p.delta()), Worse: p.delta() > 0, OwnDelta: signed(p.ownDelta()), OwnWorse: p.ownDelta() > 0,
	}
	present := 1
	if p.sides[1].spans == 0 {
		present = 0
	}
	row.Color = colorClass(c.sides[present].color(p.service))
	cells := [2]*compareCell{&row.A, &row.B}
	for i := range cells {
		if s := &p.sides[i]; s.spans > 0 {
			span := spanHex(s.slowest.SpanID)
			*cells[i] = compareCell{s.spans, showDuration(s.total), showDuration(s.self), share(s.total, longest),
				"trace/" + traceHex(c.sides[i].id) + "?span=" + span + "#span-" + span}
		}
	}
	if p.failing {
		row.Failing = showCount(p.sides[0].failed) + " → " + plural(p.sides[1].failed, "error")
	}
	return row
}

// signed is a duration with its sign.
func signed(d time.Duration) string {
	if d > 0 {
		return "+" + showDuration(d)
	}
	return strings.Replace(showDuration(d), "-", "−", 1)
}

// ratio says how much longer b is than a.
func ratio(a, b time.Duration) string {
	switch {
	case a <= 0 || b <= 0:
		return ""
	case b >= 2*a:
		return digits(float64(b)/float64(a)) + " times as long"
	case b > a:
		return percent(int(b-a), int(a)) + " longer"
	case b < a:
		return percent(int(a-b), int(a)) + " shorter"
	}
	return "as long"
}

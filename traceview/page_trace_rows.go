package traceview

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	pageRows   = 200 // rows in the HTML; the script draws the others
	maxDepth   = 24  // indentations in static/style/trace.css
	exactDepth = 12  // depth up to which each level has an indentation of its own
	wideDepth  = 10  // depth up to which indentations are wide
	maxLegend  = 24  // services above the waterfall
)

// spanRow is one line of the waterfall, ready to be shown.
type spanRow struct {
	ID, Color, Service, Name, Duration string
	Depth, Below, FailedIn             int
	BelowShort                         string
	Failed, Panicked, Orphan           bool
	Skew                               string
	Indent                             int
	X, Width                           string
	Critical, Marks                    []stretch
	Same                               bool // same service as the parent
	Folded                             bool
	FoldLink                           string
	SpanLink                           string
	Detail                             *spanDetail
}

// stretch is a part of the time line, in per cent.
type stretch struct{ X, Width string }

func (v *View) fillRows(c *traceContent, snap *snapshot, roots []*node, q url.Values) {
	folded, open := idSet(q["fold"]), idSet(q["span"])
	from, _ := strconv.Atoi(q.Get("from"))
	from = max(from, 0)
	if !q.Has("from") && len(open) > 0 {
		from = firstRow(roots, folded, open) / pageRows * pageRows
	}
	line := 0
	walk(roots, func(n *node) bool {
		c.Depth = max(c.Depth, n.depth+1)
		if n.skew != "" {
			c.Skewed++
		}
		if line >= from && line < from+pageRows {
			row := v.spanRow(n, snap.summary)
			row.Folded = folded[n.SpanID]
			row.FoldLink = "?" + toggle(q, "fold", n.SpanID) + "#span-" + row.ID
			row.SpanLink = "?" + toggle(q, "span", n.SpanID) + "#span-" + row.ID
			if open[n.SpanID] {
				row.Detail = v.detail(n, snap.summary)
			}
			c.Rows = append(c.Rows, row)
		}
		line++
		return !folded[n.SpanID]
	})
	if from > 0 {
		c.Prev = "?" + with(q, "from", strconv.Itoa(max(from-pageRows, 0)))
	}
	if from+pageRows < line {
		c.Next = "?" + with(q, "from", strconv.Itoa(from+pageRows))
	}
	if c.Prev != "" || c.Next != "" {
		first, last := min(from+1, line), min(from+pageRows, line)
		c.Shown = "Spans " + showCount(first) + " to " + showCount(last) + " of " + showCount(line)
	}
}

// firstRow is the row of the first span that is open.
func firstRow(roots []*node, folded, open map[uint64]bool) int {
	line, found := 0, 0
	walk(roots, func(n *node) bool {
		if open[n.SpanID] && found == 0 {
			found = line
		}
		line++
		return !folded[n.SpanID]
	})
	return found
}

func (v *View) spanRow(n *node, sum *summary) spanRow {
	whole := sum.duration()
	start := n.start().Sub(sum.start)
	row := spanRow{
		ID: spanHex(n.SpanID), Color: colorClass(sum.color(n.process.Service)), Service: n.process.Service, Name: n.Name,
		Duration: showDuration(n.Duration), Depth: n.depth, Below: n.below, BelowShort: compact(n.below),
		FailedIn: n.failedIn, Failed: n.failed, Panicked: n.panicked, Orphan: n.orphan, Skew: n.skew,
		Indent: n.depth, X: share(start, whole), Width: spanWidth(n.Duration, whole),
		Same: n.parent != nil && n.parent.process.Service == n.process.Service,
	}
	for _, s := range n.critical {
		row.Critical = append(row.Critical, stretch{share(s.from, whole), share(s.to-s.from, whole)})
	}
	for i := range n.Logs[:min(len(n.Logs), 50)] {
		at := n.Logs[i].Time.Add(n.shift).Sub(sum.start)
		if at >= 0 && at <= whole {
			row.Marks = append(row.Marks, stretch{X: share(at, whole)})
		}
	}
	return row
}

// spanWidth is at least two pixels, so that a span without length is seen.
func spanWidth(d, whole time.Duration) string {
	if d <= 0 || whole <= 0 || float64(d)/float64(whole) < .002 {
		return "2"
	}
	return share(d, whole)
}

// indent fits the depths of the rows into the steps of the style sheet.
func (c *traceContent) indent(roots []*node) {
	deepest := 0
	walk(roots, func(n *node) bool {
		deepest = max(deepest, n.depth)
		return true
	})
	c.Narrow = deepest > wideDepth
	for i := range c.Rows {
		c.Rows[i].Indent = indentOf(c.Rows[i].Depth, deepest)
	}
}

// indentOf returns how many steps a row is indented, so that names stay readable however deep the trace is: one for
// each of the first levels, which show how the trace is built, while deeper ones share the rest.
func indentOf(depth, deepest int) int {
	if deepest <= maxDepth || depth <= exactDepth {
		return depth
	}
	return exactDepth + (depth-exactDepth)*(maxDepth-exactDepth)/(deepest-exactDepth)
}

func idSet(values []string) map[uint64]bool {
	set := map[uint64]bool{}
	for _, v := range values {
		if id, err := parseHex(v); err == nil {
			set[id] = true
		}
	}
	return set
}

// toggle encodes q with the id added to or taken from a parameter.
func toggle(q url.Values, key string, id uint64) string {
	hex := spanHex(id)
	c := url.Values{}
	for k, vs := range q {
		c[k] = vs
	}
	if slices.Contains(q[key], hex) {
		c[key] = slices.DeleteFunc(slices.Clone(q[key]), func(s string) bool { return s == hex })
	} else {
		c[key] = append(slices.Clone(q[key]), hex)
	}
	return c.Encode()
}

// compact writes a count in at most four characters.
func compact(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return strconv.Itoa((n+500)/1000) + "k"
}

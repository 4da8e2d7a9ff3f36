package traceview

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	pageRows  = 200 // rows in the HTML; the script draws the others
	maxDepth  = 24  // indentations in static/view.css
	wideDepth = 10  // depth up to which indentations are wide
)

type traceContent struct {
	ID                         string
	Service                    string
	Color                      string
	Name                       string
	Date                       string
	Duration                   string
	Count                      int
	FailedCount, PanickedCount int
	Legend                     []serviceCount
	Depth                      int
	Narrow                     bool // indentations are small
	Skewed                     int
	Pinned                     bool
	Warnings                   []string
	Ticks                      []tick
	Rows                       []spanRow
	Shown                      string
	Prev                       string
	Next                       string
	Events                     string
	Data                       template.JS // every row, for the script
}

type tick struct{ At, Text string }

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

func (v *View) tracePage(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	roots := snap.tree()
	if main := mainRoot(roots, snap.root); main != nil {
		markCritical(main, snap.start)
	}
	q := r.URL.Query()
	_, epoch := v.store.state()
	c := traceContent{
		ID: traceHex(snap.id), Service: snap.root.process.Service, Color: colorClass(snap.color(snap.root.process.Service)),
		Name: snap.root.Name, Date: v.date(snap.start), Duration: showDuration(snap.duration()),
		Count: snap.spans, FailedCount: snap.failed, PanickedCount: snap.panicked, Legend: snap.services, Pinned: snap.pinned,
		Ticks:  ticks(snap.duration()),
		Events: "events?trace=" + traceHex(snap.id) + "&since=" + eventID(v.boot, epoch, snap.change),
	}
	v.fillRows(&c, &snap, roots, q)
	c.Data = snap.traceData(roots, v.store.slowness().isSlow)
	c.Warnings = c.warnings(roots, snap.cut)
	c.indent(roots)
	v.show(w, r, traceTemplate, http.StatusOK, page{Title: c.Service + ": " + c.Name, Section: "trace", Content: c})
}

// lookUp finds the trace of a request's path, or answers that it is not there.
func (v *View) lookUp(w http.ResponseWriter, r *http.Request) (snapshot, bool) {
	id, ok := parseTraceID(r.PathValue("id"))
	if !ok {
		v.problem(w, r, http.StatusBadRequest, "Not a trace id", "The address holds no trace id.")
		return snapshot{}, false
	}
	snap, ok := v.store.get(id)
	if !ok {
		v.problem(w, r, http.StatusNotFound, "No such trace",
			"Trace "+traceHex(id)+" has not come yet, or it went to make room for newer ones.")
	}
	return snap, ok
}

func mainRoot(roots []*node, root *span) *node {
	for _, n := range roots {
		if n.span == root {
			return n
		}
	}
	return nil
}

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
	start := n.Start.Sub(sum.start)
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
		at := n.Logs[i].Time.Sub(sum.start)
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

// indent fits the depths of the rows into the steps of the style sheet, so that names stay readable however deep the
// trace is.
func (c *traceContent) indent(roots []*node) {
	deepest := 0
	walk(roots, func(n *node) bool {
		deepest = max(deepest, n.depth)
		return true
	})
	c.Narrow = deepest > wideDepth
	if deepest <= maxDepth {
		return
	}
	for i := range c.Rows {
		c.Rows[i].Indent = c.Rows[i].Depth * maxDepth / deepest
	}
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

// ticks are the quarters of the ruler.
func ticks(whole time.Duration) []tick {
	out := make([]tick, 5)
	for i := range out {
		out[i] = tick{strconv.Itoa(i * 25), showDuration(time.Duration(float64(whole) * float64(i) / 4))}
	}
	out[0].Text = "0"
	return out
}

func (c *traceContent) warnings(roots []*node, cut int) (out []string) {
	if cut > 0 {
		out = append(out, strings.ToUpper(cutWarning(cut)[:1])+cutWarning(cut)[1:]+".")
	}
	orphans := 0
	for _, r := range roots {
		if r.orphan {
			orphans++
		}
	}
	if orphans > 0 {
		out = append(out, plural(orphans, "span")+" whose parent is not here: it is not finished, not sampled, "+
			"or its service does not report to this page.")
	}
	if c.Skewed > 0 {
		out = append(out, plural(c.Skewed, "span")+" outside the time of the parent: the clocks of the services disagree.")
	}
	return out
}

// compact writes a count in at most four characters.
func compact(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return strconv.Itoa((n+500)/1000) + "k"
}

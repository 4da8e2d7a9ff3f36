package traceview

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
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
	Legend                     []serviceCount // those with most spans
	MoreServices               int
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
		Count: snap.spans, FailedCount: snap.failed, PanickedCount: snap.panicked, Pinned: snap.pinned,
		Legend: snap.services[:min(len(snap.services), maxLegend)], MoreServices: max(len(snap.services)-maxLegend, 0),
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

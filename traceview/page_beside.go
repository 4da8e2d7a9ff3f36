package traceview

import (
	"html/template"
	"net/http"
)

// besideLimit is how many traces are listed beside one.
const besideLimit = 100

var besideTemplate = template.Must(template.New("beside.html").Funcs(funcs).
	ParseFS(templateFiles, "templates/beside.html"))

type besideContent struct {
	Events string
	Rows   []besideRow
}

type besideRow struct {
	listRow
	At string
}

// besideList is the list of the page of traces, with the same filter, as a column beside one trace.
func (v *View) besideList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f, _ := listFilter(q)
	if _, ok := v.lookFor(q.Get("q")); ok { // the search has led to a trace
		f = filter{}
		q = nil
	}
	change, epoch := v.store.state()
	found, _ := v.store.find(&f, besideLimit)
	c := besideContent{Events: "events?" + with(q, "since", eventID(v.boot, epoch, change))}
	for _, snap := range found {
		c.Rows = append(c.Rows, besideRow{v.row(snap), v.clock(snap.start)})
	}
	v.render(w, besideTemplate, "beside", c)
}

package traceview

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
)

const candidates = 50

// chooseContent lets one choose what to compare a trace with.
type chooseContent struct {
	First    comparedTrace
	Query    string
	Problems []string
	Rows     []shownRow
	Matched  int
	Same     bool // all have the same first span
}

// choosePage lists traces that begin as the first one does, or those that a search finds.
func (v *View) choosePage(w http.ResponseWriter, r *http.Request, a snapshot, problems []string) {
	q := r.URL.Query()
	c := chooseContent{First: v.comparedTrace("", a, a.duration()), Query: q.Get("q"), Problems: problems}
	if to, ok := v.lookFor(c.Query); ok && to.trace != a.id {
		seeOther(w, base(r)+"compare?a="+traceHex(a.id)+"&b="+traceHex(to.trace))
		return
	}
	f := filter{}
	if c.Query != "" {
		var wrong []string
		f.clauses, wrong = parseSearch(c.Query)
		c.Problems = append(c.Problems, wrong...)
	}
	found, _ := v.store.find(&f, 0)
	c.Same = c.Query == ""
	found = slices.DeleteFunc(found, func(s snapshot) bool {
		same := s.root.process.Service == a.root.process.Service && s.root.Name == a.root.Name
		return s.id == a.id || c.Same && !same
	})
	if c.Same && len(found) == 0 { // the first of its kind
		c.Same = false
		all, _ := v.store.find(&filter{}, candidates+1)
		found = slices.DeleteFunc(all, func(s snapshot) bool { return s.id == a.id })
	}
	c.Matched = len(found)
	link := `href="` + base(r) + "compare?a=" + traceHex(a.id) + "&amp;b="
	for _, snap := range found[:min(len(found), candidates)] {
		html := strings.Replace(v.rowHTML(snap), `href="trace/`, link, 1)
		c.Rows = append(c.Rows, shownRow{template.HTML(html), age(v.now().Sub(snap.start)), v.date(snap.start)})
	}
	v.show(w, r, chooseTemplate, http.StatusOK, page{Title: "Compare " + a.root.Name, Section: "trace", Content: c})
}

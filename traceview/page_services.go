package traceview

import (
	"cmp"
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
	TooMany       bool   // so that none is drawn
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

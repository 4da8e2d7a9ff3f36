package traceview

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
)

// The flags of a row in the data of the page of a trace, as static/trace/spans.js reads them.
const (
	flagFailed = 1 << iota
	flagPanicked
	flagOrphan
	flagSkewed
	flagSlow // slower than usual for its operation
)

// traceData writes the rows of a trace as compact JSON, from which the script draws those that are visible:
//
//	{"services": [[name, colour], …], "names": [name, …], "length": ns,
//	 "rows": [[span id, rows up to the parent or 0, service, name, start, duration, flags, critical, logs, shift], …]}
//
// Rows are in the order of the page. Times are in nanoseconds from the start of the trace, by the clock of the span;
// critical is a flat list of starts and lengths; shift is by how much that clock is behind; zeros and empty lists at
// the end of a row are left out.
func (s *snapshot) traceData(roots []*node, slow func(*span) bool) template.JS {
	w := dataWriter{sum: s.summary, slow: slow,
		services: map[string]int{}, names: map[string]int{}, rowOf: make(map[*node]int, len(s.list))}
	w.rows = make([]byte, 0, 64*len(s.list))
	walk(roots, func(n *node) bool {
		w.row(n)
		return true
	})
	out := append([]byte(`{"length":`), strconv.FormatInt(int64(s.duration()), 10)...)
	out = append(appendJSON(append(out, `,"services":`...), w.serviceList), `,"names":`...)
	out = append(append(append(appendJSON(out, w.nameList), `,"rows":[`...), w.rows...), `]}`...)
	return template.JS(out) // encoding/json escaped what could end the script
}

func appendJSON(dst []byte, v any) []byte {
	b, _ := json.Marshal(v) // strings and numbers always can be
	return append(dst, b...)
}

type dataWriter struct {
	sum             *summary
	services, names map[string]int
	serviceList     [][2]any
	nameList        []string
	rowOf           map[*node]int
	rows            []byte
	slow            func(*span) bool
}

func (w *dataWriter) row(n *node) {
	at := len(w.rowOf)
	w.rowOf[n] = at
	up := 0
	if n.parent != nil {
		up = at - w.rowOf[n.parent]
	}
	if at > 0 {
		w.rows = append(w.rows, ',')
	}
	w.rows = append(append(append(w.rows, `["`...), spanHex(n.SpanID)...), '"')
	for _, number := range [...]int64{int64(up), int64(w.service(n.process.Service)), int64(w.name(n.Name)),
		int64(n.Start.Sub(w.sum.start)), int64(n.Duration), int64(flagsOf(n, w.slow))} {
		w.rows = strconv.AppendInt(append(w.rows, ','), number, 10)
	}
	if len(n.critical) > 0 || len(n.Logs) > 0 || n.shift != 0 {
		w.rows = append(w.rows, ",["...)
		for i, c := range n.critical {
			if i > 0 {
				w.rows = append(w.rows, ',')
			}
			w.rows = strconv.AppendInt(append(strconv.AppendInt(w.rows, int64(c.from-n.shift), 10), ','), int64(c.to-c.from), 10)
		}
		w.rows = append(w.rows, "],["...)
		for i := range n.Logs[:min(len(n.Logs), 50)] {
			if i > 0 {
				w.rows = append(w.rows, ',')
			}
			w.rows = strconv.AppendInt(w.rows, int64(n.Logs[i].Time.Sub(w.sum.start)), 10)
		}
		w.rows = strconv.AppendInt(append(w.rows, "],"...), int64(n.shift), 10)
	}
	w.rows = append(w.rows, ']')
}

func flagsOf(n *node, slow func(*span) bool) (flags int) {
	set := func(flag int, is bool) {
		if is {
			flags |= flag
		}
	}
	set(flagFailed, n.failed)
	set(flagPanicked, n.panicked)
	set(flagOrphan, n.orphan)
	set(flagSkewed, n.skew != "")
	set(flagSlow, slow(n.span))
	return flags
}

func (w *dataWriter) service(name string) int {
	i, ok := w.services[name]
	if !ok {
		i = len(w.serviceList)
		w.services[name] = i
		w.serviceList = append(w.serviceList, [2]any{shownName(name), w.sum.color(name)})
	}
	return i
}

func (w *dataWriter) name(name string) int {
	i, ok := w.names[name]
	if !ok {
		i = len(w.nameList)
		w.names[name] = i
		w.nameList = append(w.nameList, shownName(name))
	}
	return i
}

// findSpans answers which spans of a trace match a search, as the list of their ids, in the order of their arrival.
func (v *View) findSpans(w http.ResponseWriter, r *http.Request) {
	snap, ok := v.lookUp(w, r)
	if !ok {
		return
	}
	clauses, problems := parseSearch(r.URL.Query().Get("q"))
	found := struct {
		IDs      []string `json:"ids"`
		Problems []string `json:"problems,omitempty"`
	}{[]string{}, problems}
	for _, sp := range snap.list {
		if len(clauses) > 0 && matchesAll(clauses, sp) {
			found.IDs = append(found.IDs, spanHex(sp.SpanID))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found) // the browser has gone
}

// matchesAll reports whether every clause holds for one span.
func matchesAll(clauses []clause, sp *span) bool {
	for i := range clauses {
		positive := clauses[i]
		positive.not = false
		if positive.matchSpan(sp) == clauses[i].not {
			return false
		}
	}
	return true
}

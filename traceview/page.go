package traceview

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const colors = 24 // service colours in static/style/colours.css

//go:embed templates/*.html
var templateFiles embed.FS

var (
	funcs = template.FuncMap{
		"duration": showDuration, "count": showCount, "plural": plural, "percent": percent, "bytes": showBytes,
		"hex": traceHex, "spanhex": spanHex, "color": colorClass, "rate": showRate, "hint": hint,
		"cellOf": func(base string, cell compareCell) any {
			return struct {
				Base string
				Cell compareCell
			}{base, cell}
		},
	}
	listTemplate       = parse("list")
	traceTemplate      = parse("trace")
	operationsTemplate = parse("operations")
	servicesTemplate   = parse("services")
	compareTemplate    = parse("compare")
	chooseTemplate     = parse("choose")
	problemTemplate    = parse("problem")
)

func parse(name string) *template.Template {
	return template.Must(template.New("layout.html").Funcs(funcs).
		ParseFS(templateFiles, "templates/layout.html", "templates/"+name+".html"))
}

// page is what the layout needs around the content of one page.
type page struct {
	Base    string // relative link to the root of the view
	Title   string
	Section string
	Query   string // of the search field
	Kept    kept
	Content any
}

// kept is the foot of each page: what is kept and what could not be.
type kept struct {
	Traces, Spans, Total int
	Bytes, MaxBytes      int
	Since                string
	Lost                 []string
}

func (v *View) show(w http.ResponseWriter, r *http.Request, t *template.Template, status int, p page) {
	p.Base = base(r)
	p.Kept = v.kept()
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		http.Error(w, "traceview: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeHTML(w, status, b.Bytes())
}

func writeHTML(w http.ResponseWriter, status int, page []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.Map(readable, page)) // the browser has gone
}

// shownName is a name as pages show it.
func shownName(s string) string { return strings.Map(readable, s) }

// hint writes a value for the search field.
func hint(s string) string {
	if strings.ContainsAny(s, " \t") {
		return `"` + s + `"`
	}
	return s
}

// readable replaces characters that turn the order of the text around them, and bytes that are no UTF-8.
func readable(r rune) rune {
	if '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' {
		return utf8.RuneError
	}
	return r
}

// problem shows an error as a page.
func (v *View) problem(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	v.show(w, r, problemTemplate, status, page{Title: title, Content: text})
}

func (v *View) kept() kept {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	t := v.store.totals
	k := kept{
		Traces: len(v.store.traces), Spans: t.spans, Bytes: v.store.bytes, Total: t.received,
		MaxBytes: v.cfg.MaxBytes, Since: v.clock(t.since),
	}
	lost := func(n int, why string) {
		if n > 0 {
			k.Lost = append(k.Lost, plural(n, "span")+" "+why)
		}
	}
	lost(int(v.overflow.Load()), "lost to a full queue")
	if n := int(v.refused.Load()); n > 0 {
		k.Lost = append(k.Lost, plural(n, "request")+" with spans refused")
	}
	lost(t.cut, "cut from long traces")
	lost(t.evictedSpans, "in "+plural(t.evictedTraces, "trace")+" gone to make room")
	lost(t.duplicates, "received twice")
	if n := int(v.open.lost.Load()); n > 0 {
		k.Lost = append(k.Lost, plural(n, "span")+" in flight gave way to newer ones")
	}
	lost(t.uncounted, "beyond "+strconv.Itoa(maxOperations)+" operations not counted")
	return k
}

func (v *View) clock(t time.Time) string { return t.In(v.zone).Format("15:04:05") }

func (v *View) date(t time.Time) string { return t.In(v.zone).Format("2006-01-02 15:04:05.000 MST") }

func colorClass(i int) string { return "c" + strconv.Itoa(i%colors) }

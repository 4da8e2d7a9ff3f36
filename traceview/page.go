package traceview

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"math"
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

const day = 24 * time.Hour

// showDuration writes three digits and the unit that suits.
func showDuration(d time.Duration) string {
	switch f := float64(d); {
	case d < 0:
		return "-" + showDuration(-max(d, -math.MaxInt64))
	case d == 0:
		return "0"
	case d < 1e3:
		return strconv.Itoa(int(d)) + " ns"
	case d < 999_500:
		return digits(f/1e3) + " µs"
	case d < 999_500_000:
		return digits(f/1e6) + " ms"
	case d < 60*time.Second:
		return digits(f/1e9) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 2*day:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	case d < 1000*day:
		return fmt.Sprintf("%d d %02d h", int(d/day), int(d.Hours())%24)
	}
	return strconv.Itoa(int(d/day)) + " d"
}

// digits writes f with three significant digits, without zeros at the end.
func digits(f float64) string {
	places := 2
	if f >= 99.95 {
		places = 0
	} else if f >= 9.995 {
		places = 1
	}
	s := strconv.FormatFloat(f, 'f', places, 64)
	if places > 0 {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// showCount groups thousands.
func showCount(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return showCount(n) + " " + word + "s"
}

func percent(part, whole int) string {
	switch {
	case part == 0 || whole == 0:
		return "0 %"
	case part*1000 < whole:
		return "<0.1 %"
	}
	places := 0
	if part*10 < whole {
		places = 1
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', places, 64) + " %"
}

func showBytes(n int) string {
	switch {
	case n < 1<<10:
		return strconv.Itoa(n) + " B"
	case n < 1<<20:
		return digits(float64(n)/(1<<10)) + " KiB"
	}
	return digits(float64(n)/(1<<20)) + " MiB"
}

func showRate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return "–"
	case perSecond >= 1:
		return digits(perSecond) + "/s"
	}
	return digits(perSecond*60) + "/min"
}

// share writes a part of a whole as a percentage for an SVG attribute.
func share(part, whole time.Duration) string {
	if whole <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 3, 64) + "%"
}

func age(d time.Duration) string {
	switch {
	case d < 0:
		return "in " + showDuration((-d).Truncate(time.Second))
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s ago"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min ago"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h ago"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d ago"
}

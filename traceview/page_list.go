package traceview

import (
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

const (
	listLimit    = 100
	maxListLimit = 2000
)

type listContent struct {
	Query      url.Values
	Problems   []string
	Filtered   bool
	Services   []string
	Operations []string
	Rows       []shownRow
	Matched    int
	Limit      int
	Order      order
	SortLinks  []sortLink // by time, duration, spans and errors
	Chips      []chip
	Undo       int // traces that the last clear can bring back
	Open       openContent
	More       string // link that shows more rows
	Events     string // link to the live updates of this filter
}

type sortLink struct {
	Order order
	Link  string
}

// chip is a part of the filter that has no field.
type chip struct{ Text, Without, Name, Value string }

// listRow is one trace in the list, ready to be shown by [View].
type listRow struct {
	headline
	ID         string
	Start      int64 // in microseconds, as Micros
	Micros     int64
	Service    string
	Color      string
	Name       string
	Whole      bool
	Services   []serviceCount
	Others     int // services beyond those shown
	OtherNames string
	Spans      int
	Failed     int
	Panicked   int
	Cut        int
	Pinned     bool
	Duration   string
	Usual      string // what half of the first span's operation take, if it is slow
	Bar        string // width
	Date       string
}

// shownRow is a row in the page. Its HTML is made once for each state of a trace; its age changes.
type shownRow struct {
	HTML      template.HTML
	Age, Date string
}

func (v *View) listPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("find") { // the field of earlier pages
		q.Set("q", q.Get("find"))
		q.Del("find")
	}
	to, found := v.lookFor(q.Get("q"))
	if found {
		seeOther(w, base(r)+to.link())
		return
	}
	f, problems := listFilter(q)
	if id, ok := wholeID(q.Get("q")); ok && len(f.clauses) < 2 {
		f.id, f.clauses = id, nil // of no trace, or of several
	}
	limit := limitOf(q)
	change, epoch := v.store.state()
	rows, matched := v.store.find(&f, limit)
	problems = append(problems, missing(q.Get("q"), &f, matched)...)
	c := listContent{
		Query: q, Problems: problems, Matched: matched, Limit: limit, Order: f.order,
		Services:   v.store.serviceNames(),
		Operations: v.store.busiestOperations(f.service),
		Filtered:   f.narrows(), Chips: chips(q), Undo: v.store.clearable(),
		Open: v.openContent(v.openTraces(), base(r), func(*openTrace) bool { return !f.narrows() }),
	}
	for _, snap := range rows {
		c.Rows = append(c.Rows, v.shownRow(snap, base(r)))
	}
	for _, o := range []order{"", byDuration, bySpans, byErrors} {
		c.SortLinks = append(c.SortLinks, sortLink{o, "?" + with(q, "sort", string(o))})
	}
	if matched > limit && limit < maxListLimit {
		c.More = "?" + with(q, "limit", strconv.Itoa(min(limit*5, maxListLimit)))
	}
	c.Events = "events?" + with(q, "since", eventID(v.boot, epoch, change))
	v.show(w, r, listTemplate, http.StatusOK, page{Title: "Traces", Section: "traces", Query: q.Get("q"), Content: c})
}

// link leads from the root of the view to the trace, and to the span in it.
func (to target) link() string {
	link := "trace/" + traceHex(to.trace)
	if to.span != 0 {
		link += "?span=" + spanHex(to.span) + "#span-" + spanHex(to.span)
	}
	return link
}

// missing says that an id that was looked for is not here. An id in a comparison, such as request.id=…, is not looked
// for.
func missing(q string, f *filter, matched int) []string {
	ids := idsIn(q)
	if f.id != (model.TraceID{}) {
		ids = []string{strings.TrimSpace(q)}
	}
	if len(ids) == 0 || matched > 0 || len(f.clauses) == 1 && f.clauses[0].key != "" && !idKeys[f.clauses[0].key] {
		return nil
	}
	return []string{"No trace and no span here has the id " + clip(ids[0], maxHeadline) +
		". It has not come yet, or it went to make room for newer ones."}
}

// idKeys are the names before an id in headers and logs.
var idKeys = map[string]bool{"trace_id": true, "traceid": true, "traceID": true, "traceId": true, "trace-id": true,
	"trace.id": true, "trace": true, "span_id": true, "spanid": true, "spanID": true, "spanId": true, "span": true}

// chips are the parts of a filter that came in the address, each with a link that takes it off.
func chips(q url.Values) (out []chip) {
	for _, key := range []string{"operation", "tag", "min", "trace"} {
		for _, value := range q[key] {
			if value == "" {
				continue
			}
			rest := url.Values{}
			for k, vs := range q {
				if k != key {
					rest[k] = vs
				}
			}
			out = append(out, chip{key + " " + value, "?" + rest.Encode(), key, value})
		}
	}
	return out
}

func limitOf(q url.Values) int {
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 {
		return listLimit
	}
	return min(n, maxListLimit)
}

// with encodes q with one parameter changed.
func with(q url.Values, key, value string) string {
	c := url.Values{}
	for k, vs := range q {
		c[k] = vs
	}
	c.Set(key, value)
	return c.Encode()
}

const shownServices = 3

// shownRow returns the row of a trace for a page whose links to the root of the view begin with base.
func (v *View) shownRow(snap snapshot, base string) shownRow {
	html := v.rowHTML(snap)
	if base != "./" && base != "" {
		html = strings.Replace(html, `href="trace/`, `href="`+base+`trace/`, 1)
	}
	date := snap.start.In(v.zone).Format(time.DateTime)
	return shownRow{template.HTML(html), age(v.now().Sub(snap.start)), date} // the template escaped it
}

// rowHTML makes the row, all but its last column, once for each state of a trace.
func (v *View) rowHTML(snap snapshot) string {
	if html := snap.summary.row.Load(); html != nil {
		return *html
	}
	html := fragment("row", v.row(snap))
	snap.summary.row.Store(&html)
	return html
}

func (v *View) row(snap snapshot) listRow {
	row := listRow{
		headline: snap.headline(),
		ID:       traceHex(snap.id),
		Start:    snap.start.UnixMicro(),
		Micros:   snap.duration().Microseconds(),
		Service:  snap.root.process.Service,
		Color:    colorClass(snap.color(snap.root.process.Service)),
		Name:     snap.root.Name,
		Whole:    snap.whole,
		Services: snap.services,
		Spans:    snap.spans,
		Failed:   snap.failed,
		Panicked: snap.panicked,
		Cut:      snap.cut,
		Pinned:   snap.pinned,
		Duration: showDuration(snap.duration()),
		Bar:      barWidth(snap.duration()),
	}
	if half, slow := v.store.slowRoot(snap.root); slow {
		row.Usual = showDuration(half)
	}
	if n := len(row.Services); n > shownServices {
		var others []string
		for _, svc := range row.Services[shownServices:min(n, shownServices+20)] {
			others = append(others, svc.Name)
		}
		row.Services, row.Others, row.OtherNames = row.Services[:shownServices], n-shownServices, strings.Join(others, ", ")
	}
	return row
}

// barWidth draws a duration on a logarithmic scale from 10 µs to 100 s, the same for every row and every page: a bar
// never changes because another trace came.
func barWidth(d time.Duration) string {
	const low, decades = 10 * time.Microsecond, 7
	return round(min(max(100*math.Log10(max(float64(d), 1)/float64(low))/decades, 1), 100)) + "%"
}

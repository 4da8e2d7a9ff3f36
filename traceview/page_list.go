package traceview

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
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
	Rows       []listRow
	Matched    int
	Limit      int
	More       string // link that shows more rows
	Since      uint64
	Events     string // link to the live updates of this filter
}

// listRow is one trace in the list, ready to be shown.
type listRow struct {
	ID, Link    string
	StartMicros int64
	Service     string
	Color       string
	Name        string
	Whole       bool
	Services    []serviceCount
	Others      int // services beyond those shown
	Spans       int
	Failed      int
	Panicked    int
	Cut         int
	Duration    string
	Bar         string // width
	Micros      int64
	Age, Date   string
}

func (v *View) listPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("find") {
		q.Set("trace", q.Get("find"))
		q.Del("find")
		if id, ok := v.onlyTrace(q); ok {
			http.Redirect(w, r, base(r)+"trace/"+traceHex(id), http.StatusSeeOther)
			return
		}
	}
	f, problems := listFilter(q)
	limit := limitOf(q)
	since := v.store.changes()
	found, matched := v.store.find(&f, limit)
	c := listContent{
		Query: q, Problems: problems, Matched: matched, Limit: limit, Since: since,
		Services:   v.store.serviceNames(),
		Operations: v.store.operationNames(f.service),
		Filtered:   f.narrows(),
	}
	var longest time.Duration
	for _, sum := range found {
		longest = max(longest, sum.duration())
	}
	for _, sum := range found {
		c.Rows = append(c.Rows, v.row(sum, longest, base(r)))
	}
	if matched > limit && limit < maxListLimit {
		c.More = "?" + with(q, "limit", strconv.Itoa(min(limit*5, maxListLimit)))
	}
	c.Events = "events?" + with(q, "since", strconv.FormatUint(since, 10))
	v.show(w, r, listTemplate, http.StatusOK, page{Title: "Traces", Section: "traces", Content: c})
}

// onlyTrace returns the trace that a filter selects if it is one.
func (v *View) onlyTrace(q url.Values) (id model.TraceID, ok bool) {
	f, problems := listFilter(q)
	if len(problems) > 0 || !f.narrows() {
		return id, false
	}
	found, matched := v.store.find(&f, 1)
	if matched != 1 {
		return id, false
	}
	return found[0].id, true
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

const shownServices = 4

func (v *View) row(sum *summary, longest time.Duration, base string) listRow {
	row := listRow{
		ID:          traceHex(sum.id),
		Link:        base + "trace/" + traceHex(sum.id),
		StartMicros: sum.start.UnixMicro(),
		Service:     sum.root.process.Service,
		Color:       colorClass(sum.root.process.color),
		Name:        sum.root.Name,
		Whole:       sum.whole,
		Services:    sum.services,
		Spans:       sum.spans,
		Failed:      sum.failed,
		Panicked:    sum.panicked,
		Cut:         sum.cut,
		Duration:    showDuration(sum.duration()),
		Bar:         barWidth(sum.duration(), longest),
		Micros:      sum.duration().Microseconds(),
		Age:         age(v.now().Sub(sum.start)),
		Date:        v.date(sum.start),
	}
	if n := len(row.Services); n > shownServices {
		row.Services, row.Others = row.Services[:shownServices], n-shownServices
	}
	return row
}

// barWidth draws a duration beside the longest one. The root of their ratio keeps short ones visible.
func barWidth(d, longest time.Duration) string {
	if longest <= 0 {
		return "0%"
	}
	return strconv.FormatFloat(max(100*math.Sqrt(float64(max(d, 0))/float64(longest)), 1), 'f', 1, 64) + "%"
}

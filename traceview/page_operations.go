package traceview

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

type operationsContent struct {
	Since      string
	Service    string
	Services   []string
	Sort       string
	Columns    []sortColumn
	Operations []operationRow
	Detail     *operationDetail
	Uncounted  int
}

// operationRow is one operation's figures, ready to be shown.
type operationRow struct {
	Service, Color, Name, Kind string
	Count, Failed              int
	Rate                       string
	P50, P90, P99              string
	Link                       string
	Columns                    []column
}

// operationDetail is one operation in full.
type operationDetail struct {
	operationRow
	Min, Max string
	Slowest  []shownSample
	Failures []shownSample
	AllLink  string
	FailLink string
}

// column is one bar of the latency picture.
type column struct {
	X, Y, Width, Height string
	FailY, FailHeight   string // the failed part
	Label               string // its lower bound
	Title               string
	Link                string // to the latest trace in it
	Count               int
}

type shownSample struct {
	Link, Duration, Age string
	Failed              bool
}

func (v *View) operationsPage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := operationsContent{Service: q.Get("service"), Services: v.store.serviceNames()}
	if q.Has("operation") {
		op, ok := v.store.operation(operationKey{c.Service, q.Get("operation"), q.Get("kind")})
		if !ok {
			v.problem(w, r, http.StatusNotFound, "No such operation", "No span of this operation has come since the start.")
			return
		}
		c.Detail = v.operationDetail(&op, base(r))
		title := c.Service + ": " + c.Detail.Name
		v.show(w, r, operationsTemplate, http.StatusOK, page{Title: title, Section: "operations", Content: c})
		return
	}
	ops, totals := v.store.operationFigures(c.Service)
	c.Since, c.Uncounted, c.Sort = v.clock(totals.since), totals.uncounted, q.Get("sort")
	sortOperations(ops, c.Sort, v.now())
	lowest, highest := barRangeOf(ops)
	for i := range ops {
		c.Operations = append(c.Operations, v.operationRow(&ops[i], base(r), lowest, highest))
	}
	for _, column := range operationColumns {
		c.Columns = append(c.Columns, sortColumn{column[0], column[1], "?" + with(q, "sort", column[1])})
	}
	v.show(w, r, operationsTemplate, http.StatusOK, page{Title: "Operations", Section: "operations", Content: c})
}

// operationColumns are the titles of the columns with what they sort by; the first is the order by name.
var operationColumns = [][2]string{{"Operation", ""}, {"Count", "count"}, {"Rate", "rate"}, {"Errors", "errors"},
	{"p50", "p50"}, {"p90", "p90"}, {"p99", "p99"}}

type sortColumn struct{ Title, Sort, Link string }

func sortOperations(ops []operation, by string, now time.Time) {
	key := func(op *operation) float64 {
		switch by {
		case "count":
			return float64(op.count)
		case "rate":
			return op.recent.perSecond(now)
		case "errors":
			return float64(op.failed) / float64(op.count)
		case "p50":
			return float64(op.latency.quantile(.5))
		case "p90":
			return float64(op.latency.quantile(.9))
		case "p99":
			return float64(op.latency.quantile(.99))
		}
		return 0
	}
	keys := map[operationKey]float64{}
	for i := range ops {
		keys[ops[i].operationKey] = key(&ops[i])
	}
	slices.SortFunc(ops, func(a, b operation) int {
		return cmp.Or(cmp.Compare(keys[b.operationKey], keys[a.operationKey]), compareKeys(a.operationKey, b.operationKey))
	})
}

// barRangeOf returns the first and the last column of the latencies that any of the operations has.
func barRangeOf(ops []operation) (first, last int) {
	first, last = len(barBounds), 0
	for i := range ops {
		for k := range ops[i].bars {
			if ops[i].bars[k].count > 0 {
				first, last = min(first, k), max(last, k)
			}
		}
	}
	return min(first, last), last
}

func (v *View) operationRow(op *operation, base string, first, last int) operationRow {
	link := url.Values{"service": {op.service}, "operation": {op.name}, "kind": {op.kind}}
	return operationRow{
		Service: op.service, Color: colorClass(op.color), Name: op.name, Kind: op.kind,
		Count: op.count, Failed: op.failed,
		Rate:    showRate(op.recent.perSecond(v.now())),
		P50:     showDuration(op.latency.quantile(.5)),
		P90:     showDuration(op.latency.quantile(.9)),
		P99:     showDuration(op.latency.quantile(.99)),
		Link:    base + "operations?" + link.Encode(),
		Columns: v.columns(op, base, first, last),
	}
}

func (v *View) operationDetail(op *operation, base string) *operationDetail {
	first, last := barRangeOf([]operation{*op})
	d := &operationDetail{
		operationRow: v.operationRow(op, base, first, last),
		Min:          showDuration(op.latency.min), Max: showDuration(op.latency.max),
	}
	q := url.Values{"service": {op.service}, "operation": {op.name}}
	if op.kind != "" {
		q.Set("tag", "span.kind="+op.kind)
	}
	d.AllLink = base + "?" + q.Encode()
	d.FailLink = base + "?" + with(q, "errors", "1")
	for _, at := range op.slowest {
		d.Slowest = v.appendSample(d.Slowest, at, base)
	}
	for _, at := range op.failures {
		d.Failures = v.appendSample(d.Failures, at, base)
	}
	return d
}

// appendSample leaves out spans whose trace is gone.
func (v *View) appendSample(list []shownSample, at sample, base string) []shownSample {
	link := v.sampleLink(at, base)
	if link == "" {
		return list
	}
	return append(list, shownSample{link, showDuration(at.duration), age(v.now().Sub(at.start)), at.failed})
}

func (v *View) sampleLink(at sample, base string) string {
	if at.trace == (model.TraceID{}) {
		return ""
	}
	id := spanHex(at.span)
	return base + "trace/" + traceHex(at.trace) + "?span=" + id + "#span-" + id
}

// columns draws the latencies on a field of 100 by 100, from the column first to the column last.
func (v *View) columns(op *operation, base string, first, last int) []column {
	top := 0
	for i := range op.bars {
		top = max(top, op.bars[i].count)
	}
	if top == 0 {
		return nil
	}
	const least = 8 // columns, so that few do not get wide
	first = max(0, first-max(0, least-(last-first+1))/2)
	last = min(len(op.bars)-1, max(last, first+least-1))
	width := 100 / float64(last-first+1)
	var out []column
	for i := first; i <= last; i++ {
		b := &op.bars[i]
		low, high := barRange(i)
		c := column{X: decimal(float64(i-first) * width), Width: decimal(width * .9), Count: b.count,
			Label: low}
		c.Title = strings.TrimSpace(low+" to "+high) + ": " + plural(b.count, "span")
		if b.failed > 0 {
			c.Title += ", " + showCount(b.failed) + " failed"
		}
		c.Y, c.Height = level(b.count, top)
		c.FailY, c.FailHeight = level(b.failed, top)
		c.Link = v.sampleLink(b.latest, base)
		out = append(out, c)
	}
	return out
}

// level returns the top and the height of a bar for n of top; something is always seen.
func level(n, top int) (y, height string) {
	if n == 0 {
		return "100", "0"
	}
	h := max(100*float64(n)/float64(top), 3)
	return decimal(100 - h), decimal(h)
}

func barRange(i int) (low, high string) {
	if i > 0 {
		low = showDuration(barBounds[i-1])
	} else {
		low = "0"
	}
	if i < len(barBounds) {
		high = showDuration(barBounds[i])
	} else {
		high = "more"
	}
	return low, high
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

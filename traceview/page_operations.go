package traceview

import (
	"cmp"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	operationLimit    = 100 // rows shown
	maxOperationLimit = maxOperations
)

type operationsContent struct {
	Since      string
	Service    string
	Name       string // part of the names shown
	Services   []string
	Sort       string
	Columns    []sortColumn
	Operations []operationRow
	Total      int    // operations that match
	More       string // link that shows more rows
	Detail     *operationDetail
	Uncounted  int
	From       string // lower and upper bound of all latencies drawn
	To         string
}

// operationRow is one operation's figures, ready to be shown. The paths are those of SVG.
type operationRow struct {
	ID                         string
	Service, Color, Name, Kind string
	Count, Failed              int
	Rate                       string
	P50, P90, P99              string
	Link                       string
	RateLine, ErrorLine        string // of the last 15 minutes
	P99Line                    string
	Bars, FailBars             string
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
	c.Name, c.Sort = q.Get("name"), q.Get("sort")
	limit := operationLimitOf(q)
	ops, total, totals := v.store.sortedOperations(c.Service, strings.ToLower(c.Name), c.Sort, limit)
	c.Since, c.Uncounted, c.Total = v.clock(totals.since), totals.uncounted, total
	lowest, highest := barRangeOf(ops)
	c.From, c.To = barScale(lowest, highest)
	for i := range ops {
		c.Operations = append(c.Operations, v.operationRow(&ops[i], base(r), lowest, highest))
	}
	for _, column := range operationColumns {
		c.Columns = append(c.Columns, sortColumn{column[0], column[1], "?" + with(q, "sort", column[1])})
	}
	if total > limit && limit < maxOperationLimit {
		c.More = "?" + with(q, "limit", strconv.Itoa(min(limit*5, maxOperationLimit)))
	}
	v.show(w, r, operationsTemplate, http.StatusOK, page{Title: "Operations", Section: "operations", Content: c})
}

func operationLimitOf(q url.Values) int {
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 {
		return operationLimit
	}
	return min(n, maxOperationLimit)
}

// operationColumns are the titles of the columns with what they sort by. The first is the order without a choice.
var operationColumns = [][2]string{{"Operation", "name"}, {"Count", ""}, {"Rate", "rate"}, {"Errors", "errors"},
	{"p50", "p50"}, {"p90", "p90"}, {"p99", "p99"}}

type sortColumn struct{ Title, Sort, Link string }

// sortKey is what operations are sorted by, the largest first.
func (op *operation) sortKey(by string, now time.Time) float64 {
	switch by {
	case "name":
		return 0
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
	return float64(op.count)
}

// sortedOperations returns copies of the first operations of a service, or of all if service is "", whose name contains
// a word in lower case, and how many there are.
func (s *store) sortedOperations(service, word, by string, limit int) (ops []operation, total int, t totals) {
	type keyed struct {
		*operation
		key float64
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []keyed
	for _, op := range s.operations {
		if (service == "" || op.service == service) && containsFold(op.name, word) {
			found = append(found, keyed{op, op.sortKey(by, s.now())})
		}
	}
	slices.SortFunc(found, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(b.key, a.key), compareKeys(a.operationKey, b.operationKey))
	})
	for _, op := range found[:min(len(found), limit)] {
		ops = append(ops, s.copyOf(op.operation))
	}
	return ops, len(found), s.totals
}

func (v *View) operationRow(op *operation, base string, first, last int) operationRow {
	link := url.Values{"service": {op.service}, "operation": {op.name}, "kind": {op.kind}}
	row := operationRow{
		ID:      "op-" + idOf(op.operationKey),
		Service: op.service, Color: colorClass(op.color), Name: op.name, Kind: op.kind,
		Count: op.count, Failed: op.failed,
		Rate: showRate(op.recent.perSecond(v.now())),
		P50:  showDuration(op.latency.quantile(.5)),
		P90:  showDuration(op.latency.quantile(.9)),
		P99:  showDuration(op.latency.quantile(.99)),
		Link: base + "operations?" + link.Encode(),
	}
	row.RateLine = sparkline(op.points[:], 0, rateOf)
	row.ErrorLine = sparkline(op.points[:], 1, errorShareOf)
	row.P99Line = sparkline(op.points[:], 0, p99Of)
	row.Bars, row.FailBars = barPaths(op, first, last)
	return row
}

// idOf names the row of an operation in the page.
func idOf(key operationKey) string {
	h := fnv.New64a()
	for _, s := range []string{key.service, key.name, key.kind} {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

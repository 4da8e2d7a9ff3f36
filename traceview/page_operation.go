package traceview

import (
	"net/url"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

// operationDetail is one operation in full.
type operationDetail struct {
	operationRow
	Columns  []column
	Scatter  scatter
	Series   []chart // of the last 15 minutes
	Min, Max string
	Slowest  []shownSample
	Failures []shownSample
	AllLink  string
	FailLink string
}

// chart is a line with what it shows.
type chart struct{ Title, Now, Top, Line string }

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

func (v *View) operationDetail(op *operation, base string) *operationDetail {
	first, last := barRangeOf([]operation{*op})
	d := &operationDetail{
		operationRow: v.operationRow(op, base, first, last),
		Columns:      v.columns(op, base, first, last),
		Scatter:      v.scatter(op.operationKey, base),
		Series:       charts(op),
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

// charts draws rate, errors and p99 over time, each with its value in the latest slot and its highest.
func charts(op *operation) []chart {
	points := op.points[:]
	latest := &points[len(points)-1]
	var rate, share, p99 float64
	for i := range points {
		r, _ := rateOf(&points[i])
		e, _ := errorShareOf(&points[i])
		rate, share, p99 = max(rate, r), max(share, e), max(p99, float64(points[i].p99))
	}
	rateNow, _ := rateOf(latest)
	shareNow, p99Now := "–", "–"
	if latest.count > 0 {
		shareNow, p99Now = percent(int(latest.failed), int(latest.count)), showDuration(latest.p99)
	}
	return []chart{
		{"Rate", showRate(rateNow), "highest " + showRate(rate), sparkline(points, 0, rateOf)},
		{
			"Errors", shareNow, "highest " + percent(int(1000*share), 1000),
			sparkline(points, 1, errorShareOf),
		},
		{"p99", p99Now, "highest " + showDuration(time.Duration(p99)), sparkline(points, 0, p99Of)},
	}
}

package traceview

import (
	"math"
	"slices"
	"time"
)

const (
	scatterSpan = 15 * time.Minute
	maxPoints   = 500 // drawn; the latest
)

// scatter is a picture of durations over time, in percent of its width and height. A point opens its trace.
type scatter struct {
	Points []point
	Lines  []scatterLine // of round durations
	Times  [3]string     // at the left, in the middle, at the right
	Hidden int           // spans beyond those drawn
}

type point struct {
	X, Y, Link, Title string
	Failed            bool
}

type scatterLine struct{ Y, Label string }

// scatter draws the spans of an operation that are kept, of the last 15 minutes if there are any.
func (v *View) scatter(key operationKey, base string) (s scatter) {
	spans := v.spansOf(key)
	if len(spans) == 0 {
		return s
	}
	slices.SortFunc(spans, func(a, b *span) int { return b.Start.Compare(a.Start) })
	if n := slices.IndexFunc(spans, func(sp *span) bool { return sp.Start.Before(v.now().Add(-scatterSpan)) }); n > 0 {
		spans = spans[:n]
	}
	if len(spans) > maxPoints {
		s.Hidden, spans = len(spans)-maxPoints, spans[:maxPoints]
	}
	first, last := spans[len(spans)-1].Start, spans[0].Start
	low, high := spans[0].Duration, spans[0].Duration
	for _, sp := range spans {
		low, high = min(low, sp.Duration), max(high, sp.Duration)
	}
	scale := newLogScale(low, high)
	s.Lines = scale.lines()
	for i, share := range []float64{0, .5, 1} {
		s.Times[i] = v.clock(first.Add(time.Duration(share * float64(last.Sub(first)))))
	}
	for _, sp := range spans {
		x := 50.0
		if last.After(first) {
			x = 1 + 98*float64(sp.Start.Sub(first))/float64(last.Sub(first))
		}
		s.Points = append(s.Points, point{
			X: round(x) + "%", Y: round(scale.at(sp.Duration)) + "%", Failed: sp.failed,
			Link:  v.sampleLink(sample{trace: sp.TraceID, span: sp.SpanID}, base),
			Title: showDuration(sp.Duration) + " at " + v.clock(sp.Start),
		})
	}
	return s
}

// spansOf returns the spans of an operation that are kept.
func (v *View) spansOf(key operationKey) (spans []*span) {
	for _, snap := range v.store.all() {
		for _, sp := range snap.list {
			if sp.Name == key.name && sp.kind == key.kind && sp.process.Service == key.service {
				spans = append(spans, sp)
			}
		}
	}
	return spans
}

// logScale maps durations to heights in percent, the longest on top.
type logScale struct{ low, high float64 } // logarithms

func newLogScale(low, high time.Duration) logScale {
	s := logScale{math.Log10(float64(max(low, 1))), math.Log10(float64(max(high, 1)))}
	if s.high-s.low < .3 { // durations that are almost equal are drawn so
		middle := (s.low + s.high) / 2
		s.low, s.high = middle-.15, middle+.15
	}
	return s
}

func (s logScale) at(d time.Duration) float64 {
	return 95 - 90*(math.Log10(float64(max(d, 1)))-s.low)/(s.high-s.low)
}

// lines returns up to about six round durations within the scale: decades, or 1, 2 and 5 of each.
func (s logScale) lines() (lines []scatterLine) {
	steps := []float64{1, 2, 5}
	if s.high-s.low > 2 {
		steps = steps[:1]
	}
	for decade := math.Floor(s.low); decade <= s.high; decade++ {
		for _, step := range steps {
			if at := decade + math.Log10(step); at >= s.low && at <= s.high {
				d := time.Duration(math.Round(math.Pow(10, at)))
				lines = append(lines, scatterLine{round(s.at(d)) + "%", showDuration(d)})
			}
		}
	}
	return lines
}

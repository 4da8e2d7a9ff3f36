package traceview

import (
	"strconv"
	"strings"
)

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

// drawnColumns widens a range of columns, so that few do not get wide.
func drawnColumns(first, last int) (int, int) {
	const least = 8
	first = max(0, first-max(0, least-(last-first+1))/2)
	return first, min(len(barBounds), max(last, first+least-1))
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
	first, last = drawnColumns(first, last)
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

// barScale says which latencies are drawn from the column first to the column last.
func barScale(first, last int) (from, to string) {
	first, last = drawnColumns(first, last)
	from, _ = barRange(first)
	_, to = barRange(last)
	return from, to
}

// barPaths draws the latencies as one path, and those of the failed spans as another.
func barPaths(op *operation, first, last int) (all, failed string) {
	top := 0
	for i := range op.bars {
		top = max(top, op.bars[i].count)
	}
	first, last = drawnColumns(first, last)
	width := 100 / float64(last-first+1)
	var a, f strings.Builder
	for i := first; i <= last; i++ {
		at := float64(i-first) * width
		addBar(&a, at, width*.9, op.bars[i].count, top)
		addBar(&f, at, width*.9, op.bars[i].failed, top)
	}
	return a.String(), f.String()
}

func addBar(path *strings.Builder, at, width float64, n, top int) {
	if n == 0 {
		return
	}
	height := max(100*float64(n)/float64(top), 3)
	path.WriteString("M" + round(at) + " 100V" + round(100-height) + "h" + round(width) + "V100")
}

// round writes a number for a path, with one decimal at most.
func round(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}

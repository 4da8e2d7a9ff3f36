package traceview

import (
	"strconv"
	"strings"
)

// sparkline draws a value of each point that has one, on a field as wide as there are points and 100 high. If top is 0,
// the largest value reaches the upper edge. The result is "" if all values are 0.
func sparkline(points []seriesPoint, top float64, value func(*seriesPoint) (v float64, has bool)) string {
	highest := 0.0
	for i := range points {
		v, _ := value(&points[i])
		highest = max(highest, v)
	}
	if highest == 0 {
		return ""
	}
	if top == 0 {
		top = highest
	}
	var path strings.Builder
	var before, last string // heights of the last point, and of the last one that was drawn
	at := -1                // place of the last point that was drawn
	for i := range points {
		v, has := value(&points[i])
		y := ""
		if has {
			y = round(100 - 100*v/top)
		}
		if y != last && before != "" && at != i-1 { // the end of a level stretch
			path.WriteString("H" + strconv.Itoa(i-1))
		}
		switch {
		case y == "" || y == before:
		case before == "":
			path.WriteString("M" + strconv.Itoa(i) + " " + y + "h.5") // a point alone is a dot
			at, last = i, y
		default:
			path.WriteString("L" + strconv.Itoa(i) + " " + y)
			at, last = i, y
		}
		before = y
	}
	if before != "" && at != len(points)-1 {
		path.WriteString("H" + strconv.Itoa(len(points)-1))
	}
	return path.String()
}

func rateOf(p *seriesPoint) (float64, bool) { return float64(p.count) / p.length.Seconds(), true }

func errorShareOf(p *seriesPoint) (float64, bool) {
	return float64(p.failed) / float64(max(p.count, 1)), true
}

func p99Of(p *seriesPoint) (float64, bool) { return float64(p.p99), p.count > 0 }

package traceview

import (
	"cmp"
	"slices"
)

// near returns the services within depth calls of one, in either direction.
func near(calls []callCount, focus string, depth int) map[string]bool {
	found := map[string]bool{focus: true}
	edge := []string{focus}
	for range depth {
		var next []string
		for _, c := range calls {
			for _, pair := range [][2]string{{c.parent, c.child}, {c.child, c.parent}} {
				if slices.Contains(edge, pair[0]) && !found[pair[1]] {
					found[pair[1]] = true
					next = append(next, pair[1])
				}
			}
		}
		edge = next
	}
	return found
}

// uncross orders the services of each column by the middle of those that they call or that call them, a few times back
// and forth, so that few arrows cross.
func uncross(columns [][]serviceRow, calls []callCount) {
	neighbours := map[string][]string{}
	for _, c := range calls {
		neighbours[c.parent] = append(neighbours[c.parent], c.child)
		neighbours[c.child] = append(neighbours[c.child], c.parent)
	}
	place := map[string]float64{} // between 0 and 1 in its column
	seat := func(column []serviceRow) {
		for i, svc := range column {
			place[svc.Name] = (float64(i) + .5) / float64(len(column))
		}
	}
	for _, column := range columns {
		seat(column)
	}
	sort := func(column []serviceRow) {
		middle := map[string]float64{}
		for _, svc := range column {
			sum := 0.0
			for _, name := range neighbours[svc.Name] {
				sum += place[name]
			}
			middle[svc.Name] = place[svc.Name]
			if n := len(neighbours[svc.Name]); n > 0 {
				middle[svc.Name] = sum / float64(n)
			}
		}
		slices.SortStableFunc(column, func(a, b serviceRow) int { return cmp.Compare(middle[a.Name], middle[b.Name]) })
		seat(column)
	}
	const sweeps = 4
	for range sweeps {
		for _, column := range columns {
			sort(column)
		}
		for _, column := range slices.Backward(columns) {
			sort(column)
		}
	}
}

// errorClass colours an arrow by the share of calls that failed.
func errorClass(failed, count int) string {
	switch {
	case failed == 0:
		return ""
	case failed*100 < count*5: // less than 5 %
		return "some"
	}
	return "failed"
}

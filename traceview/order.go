package traceview

import "cmp"

// order is how the list of traces is sorted; the zero value is by time.
type order string

const (
	byDuration order = "duration"
	bySpans    order = "spans"
	byErrors   order = "errors"
)

// parseOrder takes anything unknown for the order by time.
func parseOrder(s string) order {
	switch o := order(s); o {
	case byDuration, bySpans, byErrors:
		return o
	}
	return ""
}

// compare sorts the largest, and among equals the latest, first.
func (o order) compare(a, b *summary) int {
	return cmp.Or(cmp.Compare(o.key(b), o.key(a)), b.start.Compare(a.start),
		cmp.Compare(b.id.Low, a.id.Low), cmp.Compare(b.id.High, a.id.High))
}

// key is what rows of the list are sorted by.
func (o order) key(s *summary) int64 {
	switch o {
	case byDuration:
		return int64(s.duration())
	case bySpans:
		return int64(s.spans)
	case byErrors:
		return int64(s.failed)
	}
	return s.start.UnixNano()
}

package traceview

import "time"

const (
	seriesSlots = 30
	seriesSlot  = 30 * time.Second // so a series is the last 15 minutes
)

// series is what happened to one operation in the latest slots of time.
type series struct {
	slots   [seriesSlots]seriesPoint
	current int64     // number of the latest slot since 1970
	latency histogram // of the latest slot
}

// seriesPoint is what happened in one slot.
type seriesPoint struct {
	count, failed uint32
	p99           time.Duration
	length        time.Duration // in the result of points
}

func (s *series) add(now time.Time, d time.Duration, failed bool) {
	s.advance(now)
	p := &s.slots[s.current%seriesSlots]
	p.count++
	if failed {
		p.failed++
	}
	s.latency.add(d)
}

// advance begins the slot of now, if it is later than the latest.
func (s *series) advance(now time.Time) {
	slot := now.UnixNano() / int64(seriesSlot)
	if slot <= s.current {
		return
	}
	s.slots[s.current%seriesSlots].p99 = s.latency.quantile(.99)
	s.latency.reset()
	for n := max(s.current, slot-seriesSlots) + 1; n <= slot; n++ {
		s.slots[n%seriesSlots] = seriesPoint{}
	}
	s.current = slot
}

// points returns the slots, the oldest first. The last one is not over yet.
func (s *series) points(now time.Time) (points [seriesSlots]seriesPoint) {
	s.advance(now)
	s.slots[s.current%seriesSlots].p99 = s.latency.quantile(.99)
	for i := range points {
		points[i] = s.slots[(s.current+1+int64(i))%seriesSlots]
		points[i].length = seriesSlot
	}
	begun := time.Unix(0, s.current*int64(seriesSlot))
	points[seriesSlots-1].length = min(max(now.Sub(begun), seriesSlot/6), seriesSlot)
	return points
}

package traceview

import (
	"testing"
	"time"
)

func TestSeriesHoldsTheLastQuarterOfAnHour(t *testing.T) {
	var s series
	at := time.Unix(1_800_000_000, 0) // when a slot begins
	for minute := range 60 {          // more often and longer from minute to minute
		for k := range minute + 1 {
			s.add(at.Add(time.Duration(minute)*time.Minute), time.Duration(minute+1)*time.Millisecond, k == 0)
		}
	}
	points := s.points(at.Add(59 * time.Minute))
	for i, p := range points {
		minute := 59 - (seriesSlots-1-i)/2
		want := seriesPoint{length: seriesSlot}
		if i%2 == 1 {
			want = seriesPoint{count: uint32(minute + 1), failed: 1, p99: time.Duration(minute+1) * time.Millisecond, length: seriesSlot}
		}
		if i == seriesSlots-1 {
			want.length = seriesSlot / 6 // has only begun
		}
		if p != want {
			t.Errorf("slot %d: %+v, want %+v", i, p, want)
		}
	}
	for _, p := range s.points(at.Add(10 * time.Hour)) {
		if p.count != 0 || p.p99 != 0 {
			t.Errorf("after ten quiet hours: %+v", p)
		}
	}
	s.add(at, time.Millisecond, false) // a clock that went back
	if got := s.points(at.Add(10 * time.Hour))[seriesSlots-1].count; got != 1 {
		t.Errorf("a span of a clock that went back: %d, want it in the latest slot", got)
	}
}

func TestSparklinesDrawTheirPoints(t *testing.T) {
	for name, c := range map[string]struct {
		counts []uint32
		want   string
	}{
		"nothing":     {[]uint32{0, 0, 0, 0}, ""},
		"level":       {[]uint32{2, 2, 2, 2}, "M0 0h.5H3"},
		"a peak":      {[]uint32{0, 0, 0, 4, 0, 0}, "M0 100h.5H2L3 0L4 100H5"},
		"a rise":      {[]uint32{1, 2, 3, 4}, "M0 75h.5L1 50L2 25L3 0"},
		"at the end":  {[]uint32{0, 0, 0, 4}, "M0 100h.5H2L3 0"},
		"level later": {[]uint32{4, 1, 1, 1, 2}, "M0 0h.5L1 75H3L4 50"},
	} {
		t.Run(name, func(t *testing.T) {
			points := make([]seriesPoint, len(c.counts))
			for i := range points {
				points[i] = seriesPoint{count: c.counts[i], length: time.Second}
			}
			if got := sparkline(points, 0, rateOf); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	gaps := []seriesPoint{{}, {count: 1, p99: 4}, {}, {count: 1, p99: 2}, {count: 1, p99: 2}, {}}
	if got := sparkline(gaps, 0, p99Of); got != "M1 0h.5M3 50h.5H4" {
		t.Errorf("with gaps: %q", got)
	}
}

func TestAQuietSlotHasNoPercentile(t *testing.T) {
	op := new(operation)
	for i := range op.points {
		op.points[i].length = seriesSlot
	}
	op.points[0] = seriesPoint{count: 2, failed: 1, p99: 7 * time.Millisecond, length: seriesSlot}
	for i, want := range []string{"–", "–", "–"} {
		if got := charts(op)[i]; got.Now != want {
			t.Errorf("%s is %q, want %q", got.Title, got.Now, want)
		}
	}
	op.points[seriesSlots-1] = op.points[0]
	for i, want := range []string{"4/min", "50 %", "7 ms"} {
		if got := charts(op)[i]; got.Now != want {
			t.Errorf("%s is %q, want %q", got.Title, got.Now, want)
		}
	}
}

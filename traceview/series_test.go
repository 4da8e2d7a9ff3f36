package traceview

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

func TestSeriesHoldsTheLastQuarterOfAnHour(t *testing.T) {
	var s series
	for minute := range 60 { // more often and longer from minute to minute
		for k := range minute + 1 {
			s.add(noon.Add(time.Duration(minute)*time.Minute), ms(minute+1), k == 0)
		}
	}
	points := s.points(noon.Add(59 * time.Minute))
	for i, p := range points {
		minute := 59 - (seriesSlots-1-i)/2
		want := seriesPoint{length: seriesSlot}
		if i%2 == 1 {
			want = seriesPoint{count: uint32(minute + 1), failed: 1, p99: ms(minute + 1), length: seriesSlot}
		}
		if i == seriesSlots-1 {
			want.length = seriesSlot / 6 // has only begun
		}
		if p != want {
			t.Errorf("slot %d: %+v, want %+v", i, p, want)
		}
	}
	for _, p := range s.points(noon.Add(10 * time.Hour)) {
		if p.count != 0 || p.p99 != 0 {
			t.Errorf("after ten quiet hours: %+v", p)
		}
	}
	s.add(noon, ms(1), false) // a clock that went back
	if got := s.points(noon.Add(10 * time.Hour))[seriesSlots-1].count; got != 1 {
		t.Errorf("a span of a clock that went back: %d, want it in the latest slot", got)
	}
}

func TestSparklines(t *testing.T) {
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

func TestOperationsAreSorted(t *testing.T) {
	v := newView(t, Config{})
	n := uint64(0)
	for _, op := range []struct {
		name             string
		count, bad, took int
	}{{"b", 5, 0, 30}, {"a", 2, 2, 20}, {"c", 9, 1, 10}} {
		for k := range op.count {
			n++
			s := root(n, noon, ms(op.took))
			s.Name = "GET /" + op.name
			if k < op.bad {
				s.Tags = []model.Tag{failed}
			}
			put(t, v, "shop", s)
		}
	}
	for by, want := range map[string]string{
		"": "cba", "rate": "cba", "name": "abc", "errors": "acb", "p50": "bac", "p90": "bac", "p99": "bac", "nonsense": "cba",
	} {
		t.Run("by "+by, func(t *testing.T) {
			page := get(t, v, "/debug/traces/operations?sort="+by)
			got := ""
			for _, row := range strings.Split(page, `<span class="op">GET /`)[1:] {
				got += row[:1]
			}
			if got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestOperationsPageIsBounded(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(600) {
		s := root(n+1, noon, ms(int(n)))
		s.Name = fmt.Sprintf("GET /with/a/path/as/usual/%d", n)
		put(t, v, fmt.Sprint("service-", n%25), s)
	}
	page := get(t, v, "/debug/traces/operations")
	t.Logf("%d bytes, %d links", len(page), strings.Count(page, "<a "))
	if len(page) > 100_000 || strings.Count(page, "<a ") > 130 {
		t.Errorf("%d bytes and %d links, want at most 100 kB and 130", len(page), strings.Count(page, "<a "))
	}
	contains(t, page, "600 operations, first 100 shown")
	contains(t, page, `href="?limit=500"`)
	if rows := strings.Count(get(t, v, "/debug/traces/operations?limit=99999"), `id="op-`); rows != 600 {
		t.Errorf("%d rows without a bound", rows)
	}
	page = get(t, v, "/debug/traces/operations?name=USUAL/50&service=service-0")
	if rows := strings.Count(page, `id="op-`); rows != 2 {
		t.Errorf("%d rows have 50 in their name and are of service-0, want 2", rows)
	}
	contains(t, get(t, v, "/debug/traces/operations?name=nothing"), "No operation matches")
}

func TestScatterOpensTraces(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(maxPoints + 20) {
		put(t, v, "shop", root(n+1, noon.Add(-time.Duration(n)*time.Second), ms(int(n))))
	}
	put(t, v, "shop", root(9000, noon.Add(-time.Hour), ms(5), failed)) // too long ago beside the others
	s := v.scatter(operationKey{"shop", "GET /", ""}, "./")
	if len(s.Points) != maxPoints || s.Hidden != 20 {
		t.Fatalf("%d points, %d hidden, want %d and 20", len(s.Points), s.Hidden, maxPoints)
	}
	if first := s.Points[0]; first.X != "99%" || !strings.HasPrefix(first.Link, "./trace/"+traceHex(id(1))+"?span=") {
		t.Errorf("the latest is %+v", first)
	}
	if last := s.Points[maxPoints-1]; last.X != "1%" || last.Y != "5%" {
		t.Errorf("the oldest, which is the longest, is %+v", last)
	}
	if n := len(s.Lines); n < 3 || n > 20 {
		t.Errorf("%d lines", n)
	}
	if one := v.scatter(operationKey{"shop", "nothing", ""}, "./"); len(one.Points) != 0 {
		t.Errorf("points of no operation: %+v", one)
	}
	old := newView(t, Config{})
	put(t, old, "shop", root(1, noon.Add(-time.Hour), 0, failed))
	if s := old.scatter(operationKey{"shop", "GET /", ""}, ""); len(s.Points) != 1 || s.Points[0].X != "50%" || !s.Points[0].Failed {
		t.Errorf("an old span alone: %+v", s.Points)
	}
}

func TestAQuietSlotHasNoPercentile(t *testing.T) {
	op := new(operation)
	for i := range op.points {
		op.points[i].length = seriesSlot
	}
	op.points[0] = seriesPoint{count: 2, failed: 1, p99: ms(7), length: seriesSlot}
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

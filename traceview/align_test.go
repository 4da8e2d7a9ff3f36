package traceview_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// shiftsOf returns by how much the page moves the spans of services, which each have one span of each of the ids.
func shiftsOf(t *testing.T, services map[string][]model.Span) map[int]time.Duration {
	t.Helper()
	v := newView(t, traceview.Config{})
	for service, spans := range services {
		for _, s := range spans {
			put(t, v, service, s)
		}
	}
	shifts := map[int]time.Duration{}
	for _, s := range shownSpans(t, v, id(1)) {
		if s.shift != 0 {
			shifts[s.id] = s.shift
		}
	}
	return shifts
}

func TestClocksAreAligned(t *testing.T) {
	shifts := shiftsOf(t, map[string][]model.Span{
		"shop":  {spanAt(1, 0, 0, 100, "server"), spanAt(2, 1, 10, 90, "client")},
		"stock": {spanAt(3, 2, -4960, -4900, "server"), spanAt(4, 3, -4950, -4910, "client")}, // 5 s behind
		"disk":  {spanAt(5, 4, 40, 60, "server")},
	})
	for n, want := range map[int]time.Duration{1: 0, 2: 0, 3: ms(4980), 4: ms(4980), 5: 0} {
		if shifts[n] != want {
			t.Errorf("span %d is moved by %s, want %s", n, shifts[n], want)
		}
	}
}

// TestSpansThatNoClocksExplainStay plays spans that lie anywhere beside their parents.
func TestSpansThatNoClocksExplainStay(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	services := map[string][]model.Span{"0": {spanAt(1, 0, 0, 5000, "server")}}
	for n := uint64(2); n <= 2000; n++ {
		service, from := strconv.Itoa(random.IntN(25)), random.IntN(4000)
		s := spanAt(n, 1+random.Uint64N(n-1), from, from+random.IntN(800), "server")
		services[service] = append(services[service], s)
	}
	if shifts := shiftsOf(t, services); len(shifts) > 0 {
		t.Errorf("%d spans are moved", len(shifts))
	}
}

// TestOneClockHasNoSkew has spans whose start the program itself set before that of their parent.
func TestOneClockHasNoSkew(t *testing.T) {
	shifts := shiftsOf(t, map[string][]model.Span{
		"shop": {spanAt(1, 0, 0, 100, "server"), spanAt(2, 1, -5000, 20, ""), spanAt(3, 1, 10, 20, ""), spanAt(4, 1, 30, 60, "client")},
		"db":   {spanAt(5, 4, -970, -950, "server")}, // a second behind
	})
	for n, want := range map[int]time.Duration{1: 0, 2: 0, 3: 0, 4: 0, 5: ms(1005)} {
		if shifts[n] != want {
			t.Errorf("span %d is moved by %s, want %s", n, shifts[n], want)
		}
	}
}

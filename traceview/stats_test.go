package traceview

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAreCloseToTheTruth(t *testing.T) {
	var h histogram
	rng := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for range 5000 {
		d := time.Duration(math.Exp(rng.Float64()*14) * 1000)
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{.01, .5, .9, .99, 1} {
		t.Run(fmt.Sprintf("quantile %v", q), func(t *testing.T) {
			want := all[max(int(q*float64(len(all)))-1, 0)]
			got := h.quantile(q)
			if math.Abs(float64(got-want)) > .04*float64(want) {
				t.Errorf("quantile %v: %v, want %v within 4 %%", q, got, want)
			}
		})
	}
}

func TestBucketsHoldWhatFallsIntoThem(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 15, 16, 17, 31, 32, 33, 1000, 999999, time.Hour, math.MaxInt64} {
		t.Run(d.String(), func(t *testing.T) {
			low, high := bucketBounds(bucketOf(d))
			if float64(d) < low || float64(d) > high {
				t.Errorf("%d is in the bucket [%v, %v)", d, low, high)
			}
		})
	}
	var h histogram
	h.add(-5)
	if h.quantile(.5) > 0 {
		t.Error("a negative duration became positive")
	}
}

func TestRateCountsTheLastMinute(t *testing.T) {
	var r rate
	now := time.Unix(1_800_000_000, 0)
	for range 600 {
		now = now.Add(100 * time.Millisecond)
		r.add(now)
	}
	if got := r.perSecond(now); math.Abs(got-10) > 1 {
		t.Errorf("rate %v, want about 10", got)
	}
	if got := r.perSecond(now.Add(10 * time.Minute)); got != 0 {
		t.Errorf("rate after ten quiet minutes %v, want 0", got)
	}
}

package traceview

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets of 1/16 of an octave: quantiles are right within about 3 %.
type histogram struct {
	counts   []uint32
	n        int
	min, max time.Duration
}

const subBuckets = 16

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < subBuckets {
		return int(v)
	}
	octave := bits.Len64(v) - 5 // v>>octave is in [16,32)
	return octave*subBuckets + int(v>>octave)
}

// bucketBounds returns the range [low, high) of durations in a bucket.
func bucketBounds(i int) (low, high float64) {
	if i < subBuckets {
		return float64(i), float64(i + 1)
	}
	octave := i/subBuckets - 1
	unit := float64(uint64(1) << octave)
	base := float64(i%subBuckets+subBuckets) * unit
	return base, base + unit
}

func (h *histogram) add(d time.Duration) {
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.n++
	i := bucketOf(d)
	if i >= len(h.counts) {
		h.counts = append(h.counts, make([]uint32, i+1-len(h.counts))...)
	}
	h.counts[i]++
}

func (h *histogram) reset() {
	clear(h.counts)
	h.n, h.min, h.max = 0, 0, 0
}

// quantile returns the duration that a share q of all did not exceed.
func (h *histogram) quantile(q float64) time.Duration {
	rank := q * float64(h.n)
	seen := 0.0
	for i, c := range h.counts {
		if c == 0 || seen+float64(c) < rank {
			seen += float64(c)
			continue
		}
		low, high := bucketBounds(i)
		d := time.Duration(low + (high-low)*(rank-seen)/float64(c))
		return min(max(d, h.min), h.max)
	}
	return h.max
}

// below counts the durations in buckets below that of d.
func (h *histogram) below(d time.Duration) (n int) {
	for _, c := range h.counts[:min(bucketOf(d), len(h.counts))] {
		n += int(c)
	}
	return n
}

// rate counts events of the last minute in slots of five seconds.
type rate struct {
	slots [12]uint32
	slot  int64
	first time.Time
}

const slotSeconds = 5

func (r *rate) add(now time.Time) {
	if r.first.IsZero() {
		r.first = now
	}
	r.advance(now)
	r.slots[r.slot%int64(len(r.slots))]++
}

func (r *rate) advance(now time.Time) {
	slot := now.Unix() / slotSeconds
	for n := 0; r.slot < slot && n < len(r.slots); n++ {
		r.slot++
		r.slots[r.slot%int64(len(r.slots))] = 0
	}
	r.slot = max(r.slot, slot)
}

// perSecond is the rate over the last minute, or since the first event if that is less long ago.
func (r *rate) perSecond(now time.Time) float64 {
	r.advance(now)
	var sum float64
	for _, n := range r.slots {
		sum += float64(n)
	}
	return sum / min(max(now.Sub(r.first).Seconds(), 2*slotSeconds), float64(len(r.slots)*slotSeconds))
}

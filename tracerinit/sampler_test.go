package tracerinit_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestSamplingIsParentBased(t *testing.T) {
	for _, s := range []tracerinit.Sampler{tracerinit.Always(), tracerinit.Never(), tracerinit.Ratio(0), tracerinit.Ratio(1), tracerinit.RateLimit(0)} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			tracer, _ := memory(t, tracerinit.Config{Sampler: s})
			for flags, want := range map[string]bool{"00": false, "01": true} {
				t.Run(flags, func(t *testing.T) {
					sc := incoming(t, tracer, "traceparent", strings.TrimSuffix(traceparent, "01")+flags)
					if got := contextOf(testspans.Start(t, tracer, "x", opentracing.ChildOf(sc))).IsSampled(); got != want {
						t.Errorf("%v, caller's flags %s: sampled %t", s, flags, got)
					}
				})
			}
		})
	}
}

func TestRatioIsUnbiased(t *testing.T) {
	for _, p := range []float64{0, 0.01, 0.25, 0.5, 1} {
		t.Run(fmt.Sprint(p), func(t *testing.T) {
			tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.Ratio(p)})
			const n = 20000
			if got := share(tracer, "x", n); math.Abs(got-p) > 6*math.Sqrt(p*(1-p)/n) {
				t.Errorf("Ratio(%g): %g of the traces are sampled", p, got)
			}
		})
	}
}

func TestRateLimitBoundsTheTracesASecond(t *testing.T) {
	for perSecond, most := range map[float64]float64{0: 0, 0.001: 1, 5: 10} {
		t.Run(fmt.Sprint(perSecond), func(t *testing.T) {
			tracer, _ := memory(t, tracerinit.Config{Sampler: tracerinit.RateLimit(perSecond)})
			if got := share(tracer, "x", 500) * 500; got > most || got == 0 && most > 0 {
				t.Errorf("RateLimit(%g): %g traces at once", perSecond, got)
			}
		})
	}
}

func TestUndecidedCallersAreDecidedByTheSampler(t *testing.T) {
	for _, s := range []tracerinit.Sampler{tracerinit.Always(), tracerinit.Never()} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			tracer, _ := memory(t, tracerinit.Config{Sampler: s})
			sc := incoming(t, tracer, "b3", callerTrace+"-"+callerSpan)
			got := contextOf(testspans.Start(t, tracer, "x", opentracing.ChildOf(sc)))
			if want := s == tracerinit.Always(); got.IsSampled() != want || got.TraceID().String() != callerTrace {
				t.Errorf("%v: sampled %t in trace %v", s, got.IsSampled(), got.TraceID())
			}
		})
	}
}

package tracerinit

import (
	"math"
	"testing"

	"github.com/uber/jaeger-client-go"
)

// The answers are those of Jaeger's collector to a service that is limited to three traces a second: where the
// default strategy lists operations, they come with it, and the type is that of the service or, as Jaeger's
// documentation allows, 0 for PROBABILISTIC.
func TestOperationsOfARateLimitedServiceKeepItsLimiter(t *testing.T) {
	const limiter = `"rateLimitingSampling":{"maxTracesPerSecond":3}`
	const operations = `"operationSampling":{"defaultSamplingProbability":0.2,
		"perOperationStrategies":[{"operation":"/health","probabilisticSampling":{"samplingRate":0}},
			{"operation":"/pay","probabilisticSampling":{"samplingRate":1}}]}`
	for name, c := range map[string]struct {
		answer string
		want   map[string]int // of 1000 traces
	}{
		"type by number": {
			`{"strategyType":1,` + limiter + `,` + operations + `}`,
			map[string]int{"/health": 0, "/pay": 1000, "/other": 3},
		},
		"type by name": {
			`{"strategyType":"RATE_LIMITING",` + limiter + `,` + operations + `}`,
			map[string]int{"/health": 0, "/pay": 1000, "/other": 3},
		},
		"type of nothing": {
			`{"strategyType":0,` + limiter + `,` + operations + `}`,
			map[string]int{"/health": 0, "/pay": 1000, "/other": 3},
		},
		// one limiter for all
		"no operations": {
			`{"strategyType":1,` + limiter + `}`, map[string]int{"/health": 3, "/other": 0},
		},
		"a probabilistic service": {
			`{"strategyType":0,"probabilisticSampling":{"samplingRate":1},` + operations + `}`,
			map[string]int{"/health": 0, "/pay": 1000},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := parseStrategy([]byte(c.answer))
			if err != nil {
				t.Fatal(err)
			}
			s := a.sampler(Never().local(), 2000)
			for _, operation := range []string{"/health", "/pay", "/other"} {
				t.Run(operation, func(t *testing.T) {
					want, ok := c.want[operation]
					if got := countSampled(s, operation, 1000); ok && got != want {
						t.Errorf("%d of 1000 traces, want %d", got, want)
					}
				})
			}
			if name == "type by number" {
				if got := countSampled(s, "/another", 1000); got != 0 {
					t.Errorf("another operation has a limiter of its own: %d traces", got)
				}
				again := a.sampler(s, 2000)
				if got := countSampled(again, "/other", 1000); got != 0 {
					t.Errorf("the same answer gave the limiter new credit: %d traces", got)
				}
			}
		})
	}
}

func countSampled(s jaeger.Sampler, operation string, n int) (sampled int) {
	for range n {
		if yes, _ := s.IsSampled(jaeger.TraceID{Low: math.MaxInt64 - 1}, operation); yes {
			sampled++
		}
	}
	return sampled
}

func TestALimiterOutOfRangeIsRefused(t *testing.T) {
	_, err := parseStrategy(
		[]byte(`{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":-1},"operationSampling":{}}`),
	)
	if err == nil {
		t.Error("no error")
	}
}

func FuzzStrategyMessage(f *testing.F) {
	f.Add([]byte{0x12, 0x09, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
	f.Add([]byte{0x22, 0x04, 0x1a, 0x02, 0x12, 0x00})
	f.Fuzz(func(t *testing.T, message []byte) {
		if a, err := parseStrategyMessage(message); err == nil {
			a.sampler(Never().local(), 10).IsSampled(jaeger.TraceID{Low: 1}, "x")
		}
	})
}

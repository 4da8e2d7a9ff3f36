package tracerinit

import (
	"fmt"
	"math"
	"math/rand/v2"
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

func TestRemoteAnswersWithTypesByNameAndNumber(t *testing.T) {
	for _, c := range []struct {
		body string
		want float64
	}{
		{`{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":0.5}}`, 0.5},
		{`{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5}}`, 0.5},
		{`{"probabilisticSampling":{"samplingRate":0.5}}`, 0.5},
		{`{"strategyType":"PROBABILISTIC","probabilisticSampling":{}}`, 0},
		{`{"strategyType":"RATE_LIMITING","rateLimitingSampling":{"maxTracesPerSecond":0}}`, 0},
		{`{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":100000}}`, 1},
		{`{"operationSampling":{"defaultSamplingProbability":1,"perOperationStrategies":null}}`, 1},
	} {
		t.Run(c.body, func(t *testing.T) {
			a, err := parseStrategy([]byte(c.body))
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
				return
			}
			s := a.sampler(Never().local(), 2000)
			sampled := 0
			for range 4000 {
				if yes, _ := s.IsSampled(jaeger.TraceID{Low: rand.Uint64()}, "x"); yes {
					sampled++
				}
			}
			if got := float64(sampled) / 4000; math.Abs(got-c.want) > 0.05 {
				t.Errorf("%s: %v of the traces are sampled", c.body, got)
			}
		})
	}
}

func TestLowerBoundLetsEachOperationThroughOnce(t *testing.T) {
	a, err := parseStrategy([]byte(`{"operationSampling":{
		"defaultSamplingProbability":0,"defaultLowerBoundTracesPerSecond":0.0001,
		"perOperationStrategies":[{"operation":"listed","probabilisticSampling":{"samplingRate":0}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	s := a.sampler(Never().local(), 2)
	id := jaeger.TraceID{Low: math.MaxInt64}
	count := func(operation string) (n int) {
		for range 10 {
			yes, tags := s.IsSampled(id, operation)
			if yes {
				n++
				if fmt.Sprint(tags) != "[{sampler.type lowerbound} {sampler.param 0}]" {
					t.Errorf("%s: %v", operation, tags)
				}
			}
		}
		return n
	}
	if count("listed") != 1 || count("new") != 1 {
		t.Error("an operation was not let through once")
	}
	if count("one more than MaxOperations") != 0 {
		t.Error("an operation beyond MaxOperations has a strategy of its own")
	}
	s = a.sampler(s, 2)
	if count("listed") != 0 || count("new") != 0 {
		t.Error("another answer gave new credit")
	}
}

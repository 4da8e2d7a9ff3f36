package tracerinit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/uber/jaeger-client-go"
)

// answer is what a Jaeger sampling server says:
// https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v2/sampling.proto as JSON.
type answer struct {
	StrategyType          any `json:"strategyType"` // a name, or a number up to Jaeger 2.15
	ProbabilisticSampling *struct {
		SamplingRate float64 `json:"samplingRate"`
	} `json:"probabilisticSampling"`
	RateLimitingSampling *struct {
		MaxTracesPerSecond float64 `json:"maxTracesPerSecond"`
	} `json:"rateLimitingSampling"`
	OperationSampling *operationStrategies `json:"operationSampling"`
}

type operationStrategies struct {
	DefaultProbability float64 `json:"defaultSamplingProbability"`
	DefaultLowerBound  float64 `json:"defaultLowerBoundTracesPerSecond"`
	Strategies         []struct {
		Operation             string `json:"operation"`
		ProbabilisticSampling *struct {
			SamplingRate float64 `json:"samplingRate"`
		} `json:"probabilisticSampling"`
	} `json:"perOperationStrategies"`
}

// parseAnswer reads and judges an answer.
func parseAnswer(body []byte) (*answer, error) {
	a := new(answer)
	if err := json.Unmarshal(body, a); err != nil {
		return nil, errors.New("the answer is not the JSON of a sampling strategy")
	}
	if a.OperationSampling != nil {
		return a, a.OperationSampling.check()
	}
	kind, err := a.kind()
	switch {
	case err != nil:
		return nil, err
	case kind == ratioSampler && a.ProbabilisticSampling != nil:
		a.RateLimitingSampling = nil
		return a, checkRatio("samplingRate", a.ProbabilisticSampling.SamplingRate)
	case kind == rateSampler && a.RateLimitingSampling != nil:
		a.ProbabilisticSampling = nil
		return a, checkRate("maxTracesPerSecond", a.RateLimitingSampling.MaxTracesPerSecond)
	}
	return nil, errors.New("the answer has no strategy")
}

// kind is the type of strategy that the answer names, or else that it holds.
func (a *answer) kind() (samplerKind, error) {
	switch a.StrategyType {
	case "PROBABILISTIC", 0.0:
		return ratioSampler, nil
	case "RATE_LIMITING", 1.0:
		return rateSampler, nil
	case nil:
		if a.ProbabilisticSampling != nil {
			return ratioSampler, nil
		}
		return rateSampler, nil
	}
	return noSampler, errors.New("the answer names an unknown type of strategy")
}

func (o *operationStrategies) check() error {
	errs := []error{
		checkRatio("defaultSamplingProbability", o.DefaultProbability),
		checkRate("defaultLowerBoundTracesPerSecond", o.DefaultLowerBound),
	}
	for i, s := range o.Strategies {
		if s.ProbabilisticSampling == nil {
			return fmt.Errorf("operation %d of the answer has no strategy", i)
		}
		errs = append(errs, checkRatio("samplingRate", s.ProbabilisticSampling.SamplingRate))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkRatio(field string, f float64) error {
	if !(f >= 0 && f <= 1) {
		return fmt.Errorf("%s of the answer is not from 0 to 1", field)
	}
	return nil
}

func checkRate(field string, f float64) error {
	if !(f >= 0 && f <= math.MaxInt32) {
		return fmt.Errorf("%s of the answer is negative or too large", field)
	}
	return nil
}

// sampler makes what the answer asks for. Credits of limiters that go on are kept from the sampler before, or every
// new answer would let a burst through.
func (a *answer) sampler(before jaeger.Sampler, maxOperations int) jaeger.Sampler {
	switch {
	case a.OperationSampling != nil:
		previous, _ := before.(*operationSampler)
		return newOperationSampler(a.OperationSampling, maxOperations, previous)
	case a.ProbabilisticSampling != nil:
		return Ratio(a.ProbabilisticSampling.SamplingRate).local()
	}
	perSecond := a.RateLimitingSampling.MaxTracesPerSecond
	if same, ok := before.(*jaeger.RateLimitingSampler); ok && same.Equal(jaeger.NewRateLimitingSampler(perSecond)) {
		return same
	}
	return RateLimit(perSecond).local()
}

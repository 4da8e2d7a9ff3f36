package tracerinit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/uber/jaeger-client-go"
)

// strategyResponse is what a Jaeger sampling server answers:
// https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v2/sampling.proto as JSON or protobuf.
type strategyResponse struct {
	StrategyType          any                    `json:"strategyType"` // a name, or a number up to Jaeger 2.15
	ProbabilisticSampling *probabilisticStrategy `json:"probabilisticSampling"`
	RateLimitingSampling  *rateLimitingStrategy  `json:"rateLimitingSampling"`
	OperationSampling     *operationStrategies   `json:"operationSampling"`
}

type probabilisticStrategy struct {
	SamplingRate float64 `json:"samplingRate"`
}

type rateLimitingStrategy struct {
	MaxTracesPerSecond float64 `json:"maxTracesPerSecond"`
}

type operationStrategies struct {
	DefaultProbability float64             `json:"defaultSamplingProbability"`
	DefaultLowerBound  float64             `json:"defaultLowerBoundTracesPerSecond"`
	Strategies         []operationStrategy `json:"perOperationStrategies"`
}

type operationStrategy struct {
	Operation             string                 `json:"operation"`
	ProbabilisticSampling *probabilisticStrategy `json:"probabilisticSampling"`
}

// parseStrategy reads and checks an answer in JSON.
func parseStrategy(body []byte) (*strategyResponse, error) {
	a := new(strategyResponse)
	if err := json.Unmarshal(body, a); err != nil {
		return nil, errors.New("the answer is not the JSON of a sampling strategy")
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a, nil
}

// check returns what is wrong with the answer, and leaves one strategy for the service in it. Beside strategies for
// operations that is the limiter of a rate-limited service: Jaeger sends both where the service itself is limited and
// the default strategy lists operations. Their type is then that of the service, or 0, so the fields count.
func (a *strategyResponse) check() error {
	if a.OperationSampling != nil {
		if a.ProbabilisticSampling != nil {
			a.RateLimitingSampling = nil
		}
		if r := a.RateLimitingSampling; r != nil {
			return errors.Join(checkRate("maxTracesPerSecond", r.MaxTracesPerSecond), a.OperationSampling.check())
		}
		return a.OperationSampling.check()
	}
	kind, err := a.kind()
	switch {
	case err != nil:
		return err
	case kind == ratioSampling && a.ProbabilisticSampling != nil:
		a.RateLimitingSampling = nil
		return checkRatio("samplingRate", a.ProbabilisticSampling.SamplingRate)
	case kind == rateSampling && a.RateLimitingSampling != nil:
		a.ProbabilisticSampling = nil
		return checkRate("maxTracesPerSecond", a.RateLimitingSampling.MaxTracesPerSecond)
	}
	return errors.New("the answer has no strategy")
}

// kind is the type of strategy that the answer names, or else that it holds.
func (a *strategyResponse) kind() (samplerKind, error) {
	switch a.StrategyType {
	case "PROBABILISTIC", 0.0:
		return ratioSampling, nil
	case "RATE_LIMITING", 1.0:
		return rateSampling, nil
	case nil:
		if a.ProbabilisticSampling != nil {
			return ratioSampling, nil
		}
		return rateSampling, nil
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

// sampler makes the sampler that the answer describes. Credits of limiters that go on are kept from the sampler before,
// or every new answer would let a burst through.
func (a *strategyResponse) sampler(before jaeger.Sampler, maxOperations int) jaeger.Sampler {
	previous, _ := before.(*operationSampler)
	if previous != nil && previous.limited {
		before = previous.Sampler
	}
	var limiter jaeger.Sampler
	if r := a.RateLimitingSampling; r != nil {
		limiter = RateLimit(r.MaxTracesPerSecond).local()
		if same, ok := before.(*jaeger.RateLimitingSampler); ok && same.Equal(limiter) {
			limiter = same
		}
	}
	switch {
	case a.OperationSampling != nil:
		return newOperationSampler(a.OperationSampling, limiter, maxOperations, previous)
	case limiter != nil:
		return limiter
	}
	return Ratio(a.ProbabilisticSampling.SamplingRate).local()
}

package tracerinit

import (
	"sync"

	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/utils"
)

// operationSampler samples each operation by a probability of its own, and at least at a common rate. Unlike
// jaeger-client-go's, it lets nothing through when both are zero, keeps its credits over updates, and leaves operations
// that the server does not list to the limiter of a rate-limited service.
type operationSampler struct {
	jaeger.Sampler // for operations beyond max, and for those that are not listed if limited

	limited                        bool
	defaultProbability, lowerBound float64
	max                            int

	mu         sync.RWMutex
	operations map[string]*operation
}

type operation struct {
	probability jaeger.Sampler
	atLeast     *utils.ReconfigurableRateLimiter // nil: no lower bound
	tags        []jaeger.Tag                     // of a trace that only the lower bound lets through
}

// newOperationSampler makes a sampler of strategies. limiter is that of a rate-limited service, else nil.
func newOperationSampler(
	s *operationStrategies, limiter jaeger.Sampler, max int, before *operationSampler,
) *operationSampler {
	o := &operationSampler{
		Sampler: limiter, limited: limiter != nil, defaultProbability: s.DefaultProbability,
		lowerBound: s.DefaultLowerBound,
		max:        max, operations: map[string]*operation{},
	}
	if !o.limited {
		o.Sampler = Ratio(s.DefaultProbability).local()
	}
	known := map[string]*operation{}
	if before != nil {
		before.mu.RLock()
		defer before.mu.RUnlock()
		known = before.operations
	}
	for _, strategy := range s.Strategies {
		if name := strategy.Operation; len(o.operations) < max {
			o.operations[name] = o.operation(strategy.ProbabilisticSampling.SamplingRate, known[name])
		}
	}
	for name, was := range known {
		if _, listed := o.operations[name]; !listed && !o.limited && len(o.operations) < max {
			o.operations[name] = o.operation(s.DefaultProbability, was)
		}
	}
	return o
}

func (o *operationSampler) operation(probability float64, was *operation) *operation {
	op := &operation{
		probability: Ratio(probability).local(),
		tags: []jaeger.Tag{
			jaeger.NewTag(jaeger.SamplerTypeTagKey, jaeger.SamplerTypeLowerBound),
			jaeger.NewTag(jaeger.SamplerParamTagKey, probability),
		},
	}
	if o.lowerBound == 0 {
		return op
	}
	if was != nil && was.atLeast != nil {
		op.atLeast = was.atLeast
		op.atLeast.Update(o.lowerBound, max(o.lowerBound, 1))
	} else {
		op.atLeast = utils.NewRateLimiter(o.lowerBound, max(o.lowerBound, 1))
	}
	return op
}

// IsSampled decides about a new trace that begins with the named operation.
func (o *operationSampler) IsSampled(id jaeger.TraceID, name string) (bool, []jaeger.Tag) {
	op := o.find(name)
	if op == nil {
		return o.Sampler.IsSampled(id, name)
	}
	sampled, tags := op.probability.IsSampled(id, name)
	if op.atLeast == nil {
		return sampled, tags
	}
	if atLeast := op.atLeast.CheckCredit(1); !sampled {
		return atLeast, op.tags
	}
	return true, tags
}

// find returns the operation of that name, which it adds if need be. It is nil if the operation has no strategy of its
// own: there are too many, or the service is rate-limited.
func (o *operationSampler) find(name string) *operation {
	o.mu.RLock()
	op, full := o.operations[name], o.limited || len(o.operations) >= o.max
	o.mu.RUnlock()
	if op != nil || full {
		return op
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if op = o.operations[name]; op == nil && len(o.operations) < o.max {
		op = o.operation(o.defaultProbability, nil)
		o.operations[name] = op
	}
	return op
}

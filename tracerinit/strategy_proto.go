package tracerinit

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

var errStrategyMessage = errors.New("the answer is not the message of a sampling strategy")

// appendStrategyRequest appends the message SamplingStrategyParameters.
func appendStrategyRequest(dst []byte, service string) []byte {
	return protowire.AppendString(protowire.AppendTag(dst, 1, protowire.BytesType), service)
}

// parseStrategyMessage reads and checks the message SamplingStrategyResponse.
func parseStrategyMessage(message []byte) (*strategyResponse, error) {
	a := &strategyResponse{}
	err := eachField(message, func(n protowire.Number, number uint64, sub []byte) (err error) {
		switch n {
		case 1:
			a.StrategyType = float64(number)
		case 2:
			a.ProbabilisticSampling, err = parseProbability(sub)
		case 3:
			a.RateLimitingSampling = &rateLimitingStrategy{}
			err = eachField(sub, func(n protowire.Number, number uint64, _ []byte) error {
				if n == 1 {
					a.RateLimitingSampling.MaxTracesPerSecond = float64(int32(number))
				}
				return nil
			})
		case 4:
			a.OperationSampling, err = parseOperations(sub)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a, nil
}

func parseProbability(message []byte) (*probabilisticStrategy, error) {
	p := &probabilisticStrategy{}
	return p, eachField(message, func(n protowire.Number, number uint64, _ []byte) error {
		if n == 1 {
			p.SamplingRate = math.Float64frombits(number)
		}
		return nil
	})
}

func parseOperations(message []byte) (*operationStrategies, error) {
	o := &operationStrategies{}
	return o, eachField(message, func(n protowire.Number, number uint64, sub []byte) (err error) {
		switch n {
		case 1:
			o.DefaultProbability = math.Float64frombits(number)
		case 2:
			o.DefaultLowerBound = math.Float64frombits(number)
		case 3:
			var s operationStrategy
			err = eachField(sub, func(n protowire.Number, _ uint64, sub []byte) (err error) {
				switch n {
				case 1:
					s.Operation = string(sub)
				case 2:
					s.ProbabilisticSampling, err = parseProbability(sub)
				}
				return err
			})
			o.Strategies = append(o.Strategies, s)
		}
		return err
	})
}

// eachField calls field for every field of a message, with the value of a number, or the bytes of a text or message.
func eachField(message []byte, field func(n protowire.Number, number uint64, sub []byte) error) error {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return errStrategyMessage
		}
		message = message[size:]
		var number uint64
		var sub []byte
		switch kind {
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(message)
		case protowire.Fixed64Type:
			number, size = protowire.ConsumeFixed64(message)
		case protowire.BytesType:
			sub, size = protowire.ConsumeBytes(message)
		default:
			size = protowire.ConsumeFieldValue(n, kind, message)
		}
		if size < 0 {
			return errStrategyMessage
		}
		message = message[size:]
		if err := field(n, number, sub); err != nil {
			return err
		}
	}
	return nil
}

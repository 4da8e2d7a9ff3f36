package tracerinit

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/export"
)

// Sampler decides which new traces are recorded; a trace that a caller began keeps the caller's decision. Make one
// with [Always], [Never], [Ratio], [RateLimit], [Remote], [CustomSampler] or [JaegerSampler]. The zero Sampler is none:
// [Start] then reads the environment.
type Sampler struct {
	kind   samplerKind
	param  float64
	url    string
	remote *RemoteOptions
	custom jaeger.SamplerV2
}

type samplerKind uint8

const (
	noSampler samplerKind = iota
	constSampling
	ratioSampling
	rateSampling
	remoteSampling
	customSampling
)

// Always records every trace.
func Always() Sampler { return Sampler{kind: constSampling, param: 1} }

// Never records only the traces that a caller or sampling.priority decided to record.
func Never() Sampler { return Sampler{kind: constSampling} }

// Ratio records a trace with probability p, from 0 to 1, by its id.
func Ratio(p float64) Sampler { return Sampler{kind: ratioSampling, param: p} }

// RateLimit records at most perSecond traces a second on average; bursts of up to a second's worth are possible.
func RateLimit(perSecond float64) Sampler { return Sampler{kind: rateSampling, param: perSecond} }

// Remote fetches from a Jaeger sampling server which traces to record: at [Start], and then at every interval.
// Strategies for single operations and adaptive sampling work by the name that a span starts with. If the server fails,
// the last good strategy stays in effect. Start fills an empty url and zero options from the environment and defaults.
//
// url is that of an agent or a collector, such as http://localhost:5778/sampling. Ports 14250 and 5779, on which
// Jaeger serves strategies over gRPC, need the import of package otlpgrpc.
func Remote(url string, options RemoteOptions) Sampler {
	return Sampler{kind: remoteSampling, url: strings.TrimSpace(url), remote: &options}
}

// CustomSampler uses a sampler of jaeger-client-go, or of the program's own. It is called for every new trace; if its
// decision is retryable, also when the trace's first span gets a name or a tag and when it ends. [Tracer.Shutdown]
// closes it. Spans start somewhat slower than with the other samplers.
func CustomSampler(s jaeger.SamplerV2) Sampler { return Sampler{kind: customSampling, custom: s} }

// JaegerSampler uses a sampler of the interface that the constructors of jaeger-client-go return, such as
// [jaeger.NewPerOperationSampler] in a program that moves here. A constant and a probabilistic one are [Always],
// [Never] and [Ratio]. Any other is a [CustomSampler]: by its own methods if it also is a [jaeger.SamplerV2], else it
// decides about each trace when that begins.
func JaegerSampler(s jaeger.Sampler) Sampler {
	switch s := s.(type) {
	case nil:
		return CustomSampler(nil)
	case *jaeger.ConstSampler:
		if s.Decision {
			return Always()
		}
		return Never()
	case *jaeger.ProbabilisticSampler:
		return Ratio(s.SamplingRate())
	case jaeger.SamplerV2:
		return CustomSampler(s)
	}
	return CustomSampler(decideOnce{s})
}

// RemoteOptions says how [Remote] works.
type RemoteOptions struct {
	Interval      time.Duration // between requests, within a tenth; default 1 min
	Initial       Sampler       // until the first answer, not Remote; default Ratio(0.001), as in jaeger-client-go
	MaxOperations int           // operations with a strategy of their own, others share one; default 2000
}

// String describes the sampler, without secrets.
func (s Sampler) String() string {
	switch s.kind {
	case constSampling:
		if s.param == 0 {
			return "never"
		}
		return "always"
	case ratioSampling:
		return fmt.Sprintf("ratio %g", s.param)
	case rateSampling:
		return fmt.Sprintf("at most %g/s", s.param)
	case remoteSampling:
		return strings.TrimSpace("remote " + s.shownURL())
	case customSampling:
		if once, ok := s.custom.(decideOnce); ok {
			return fmt.Sprintf("custom %T", once.Sampler)
		}
		return fmt.Sprintf("custom %T", s.custom)
	}
	return "none"
}

// GoString returns what String returns, so that no verb of package fmt prints a token in a URL.
func (s Sampler) GoString() string { return "tracerinit.Sampler(" + s.String() + ")" }

// shownURL is the URL of a remote sampler without secrets.
func (s Sampler) shownURL() string {
	if s.url == "" {
		return ""
	}
	u, err := export.ParseURL(samplingURL(s.url), samplingPath)
	if err != nil {
		return mask
	}
	if forGRPC(u) && u.Path == samplingPath { // the path is that of HTTP
		u.Path = ""
		return export.MaskURL(u, "")
	}
	return export.MaskURL(u, samplingPath)
}

// check returns what is wrong with a sampler made in code.
func (s Sampler) check() error {
	switch {
	case s.kind == ratioSampling && !(s.param >= 0 && s.param <= 1):
		return expected("a ratio from 0 to 1")
	case s.kind == rateSampling && !(s.param >= 0 && s.param <= math.MaxInt32):
		return expected("a rate that is not negative")
	case s.kind == customSampling && s.custom == nil:
		return expected("a sampler that is not nil")
	case s.kind != remoteSampling:
		return nil
	case s.remote.Initial.kind == remoteSampling || s.remote.Initial.kind == customSampling:
		return errors.New("the initial sampler cannot be remote or custom, too")
	case s.remote.Interval < 0 || s.remote.MaxOperations < 0:
		return errors.New("an option is negative")
	}
	if s.url != "" {
		if err := validateSamplingURL(samplingURL(s.url)); err != nil {
			return err
		}
	}
	return s.remote.Initial.check()
}

// local makes the sampler, unless it is remote or custom.
func (s Sampler) local() jaeger.Sampler {
	switch {
	case s.kind == ratioSampling:
		if p, err := jaeger.NewProbabilisticSampler(s.param); err == nil {
			return p
		}
	case s.kind == rateSampling && s.param > 0: // at 0 jaeger's would let one through
		return jaeger.NewRateLimitingSampler(s.param)
	}
	return jaeger.NewConstSampler(s.kind == constSampling && s.param != 0)
}

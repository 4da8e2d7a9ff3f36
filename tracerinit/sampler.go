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
// with Always, Never, Ratio, RateLimit or Remote. The zero Sampler is none: Start looks in the environment.
type Sampler struct {
	kind   samplerKind
	param  float64
	url    string
	remote *RemoteOptions
}

type samplerKind uint8

const (
	noSampler samplerKind = iota
	constSampler
	ratioSampler
	rateSampler
	remoteKind
)

// Always records every trace.
func Always() Sampler { return Sampler{kind: constSampler, param: 1} }

// Never records no trace but those that a caller or sampling.priority asks for.
func Never() Sampler { return Sampler{kind: constSampler} }

// Ratio records a trace with probability p, from 0 to 1, by its id.
func Ratio(p float64) Sampler { return Sampler{kind: ratioSampler, param: p} }

// RateLimit records at most perSecond traces a second on average; bursts of up to a second's worth are possible.
func RateLimit(perSecond float64) Sampler { return Sampler{kind: rateSampler, param: perSecond} }

// Remote asks a Jaeger sampling server, such as http://localhost:5778/sampling, which traces to record: at Start, and
// then at every interval. Strategies for single operations and adaptive sampling work by the name that a span starts
// with. Whatever the server answers, the last good strategy stays. Start fills an empty url and zero options from
// the environment and defaults.
func Remote(url string, options RemoteOptions) Sampler {
	return Sampler{kind: remoteKind, url: strings.TrimSpace(url), remote: &options}
}

// RemoteOptions says how Remote asks.
type RemoteOptions struct {
	Interval      time.Duration // between questions, within a tenth; default 1 min
	Initial       Sampler       // until the first answer, not Remote; default Ratio(0.001), as in jaeger-client-go
	MaxOperations int           // operations with a strategy of their own, others share one; default 2000
}

const (
	defaultSampling = "http://localhost:5778/sampling"
	samplingPath    = "/sampling"
)

// String says what the sampler does, without secrets.
func (s Sampler) String() string {
	switch s.kind {
	case constSampler:
		if s.param == 0 {
			return "never"
		}
		return "always"
	case ratioSampler:
		return fmt.Sprintf("ratio %g", s.param)
	case rateSampler:
		return fmt.Sprintf("at most %g/s", s.param)
	case remoteKind:
		if u, err := export.ParseURL(s.url, samplingPath); err == nil {
			return "remote " + export.MaskURL(u, samplingPath)
		}
		return "remote"
	}
	return "none"
}

// check returns what is wrong with s.
func (s Sampler) check() error {
	switch {
	case s.kind == ratioSampler && !(s.param >= 0 && s.param <= 1):
		return wanted("a ratio from 0 to 1")
	case s.kind == rateSampler && !(s.param >= 0 && s.param <= math.MaxInt32):
		return wanted("a rate that is not negative")
	case s.kind != remoteKind:
		return nil
	case s.remote.Initial.kind == remoteKind:
		return errors.New("the initial sampler cannot be remote, too")
	case s.remote.Interval < 0 || s.remote.MaxOperations < 0:
		return errors.New("an option is negative")
	}
	if s.url != "" {
		if err := judgeURL(samplingURL(s.url)); err != nil {
			return err
		}
	}
	return s.remote.Initial.check()
}

// local makes the sampler, unless it is remote.
func (s Sampler) local() jaeger.Sampler {
	switch {
	case s.kind == ratioSampler:
		if p, err := jaeger.NewProbabilisticSampler(s.param); err == nil {
			return p
		}
	case s.kind == rateSampler && s.param > 0: // at 0 jaeger's would let one through
		return jaeger.NewRateLimitingSampler(s.param)
	}
	return jaeger.NewConstSampler(s.kind == constSampler && s.param != 0)
}

// asker asks a sampler about new traces, once and for all, as jaeger-client-go does itself.
type asker struct{ jaeger.Sampler }

// OnCreateSpan implements jaeger.SamplerV2.
func (a asker) OnCreateSpan(span *jaeger.Span) jaeger.SamplingDecision {
	return a.OnSetOperationName(span, span.OperationName())
}

// OnSetOperationName implements jaeger.SamplerV2.
func (a asker) OnSetOperationName(span *jaeger.Span, name string) jaeger.SamplingDecision {
	yes, tags := a.IsSampled(span.SpanContext().TraceID(), name)
	return jaeger.SamplingDecision{Sample: yes, Tags: tags}
}

// OnSetTag implements jaeger.SamplerV2.
func (asker) OnSetTag(*jaeger.Span, string, any) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// OnFinishSpan implements jaeger.SamplerV2.
func (asker) OnFinishSpan(*jaeger.Span) jaeger.SamplingDecision {
	return jaeger.SamplingDecision{Retryable: true}
}

// samplingURL adds the scheme to host:port, as JAEGER_SAMPLER_MANAGER_HOST_PORT is documented.
func samplingURL(s string) string {
	if !strings.Contains(s, "://") {
		return "http://" + s
	}
	return s
}

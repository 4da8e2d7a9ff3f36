package tracerinit

import (
	"fmt"
	"log/slog"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/uber/jaeger-client-go"
)

// sampler is code's, else that of JAEGER_SAMPLER_*, else that of OTEL_TRACES_SAMPLER, else Always.
func (r *resolver) sampler(code Sampler) Sampler {
	fromJaeger, jaegerSource := r.jaegerSampler()
	fromOTel, otelOptions := r.otelSampler(code.kind == noSampler && jaegerSource == "")
	chosen, source := Always(), byDefault
	switch {
	case code.kind != noSampler:
		chosen, source = code, inCode
		if err := code.check(); err != nil {
			r.wrongCode("Sampler", code, err)
		}
	case jaegerSource != "":
		chosen, source = fromJaeger, jaegerSource
		if fromOTel.kind != noSampler && (fromOTel.kind != chosen.kind || fromOTel.param != chosen.param) {
			r.conflict(jaegerSource, otelSamplerVariable)
		}
	case fromOTel.kind != noSampler:
		chosen, source = fromOTel, otelSamplerVariable
	}
	if source != otelSamplerVariable {
		otelOptions = samplerArgument{}
	}
	return r.withRemote(chosen, source, otelOptions)
}

// withRemote fills the options of a remote sampler and notes what is in effect.
func (r *resolver) withRemote(s Sampler, source string, arg samplerArgument) Sampler {
	options := RemoteOptions{}
	if s.remote != nil {
		options = *s.remote
	}
	max, maxSource := choose(r, options.MaxOperations, 2000, from(r, "JAEGER_SAMPLER_MAX_OPERATIONS", number(1)))
	interval, intervalSource := choose(r, options.Interval, time.Minute,
		from(r, "JAEGER_SAMPLER_REFRESH_INTERVAL", duration), candidate[time.Duration]{otelArgVariable, arg.interval, milliseconds(1)})
	url, urlSource := r.samplingEndpoint(s.url, arg.endpoint)
	if s.kind != remoteKind {
		r.note("sampler", s.String(), source)
		return s
	}
	initialSource := source
	if options.Initial.kind == noSampler {
		options.Initial, initialSource = Ratio(0.001), byDefault
	}
	options.Interval, options.MaxOperations = interval, max
	s = Remote(url, options)
	r.note("sampler", s.String(), source)
	r.note("sampler.endpoint", strings.TrimPrefix(s.String(), "remote "), urlSource)
	r.note("sampler.initial", options.Initial.String(), initialSource)
	r.note("sampler.interval", interval.String(), intervalSource)
	r.note("sampler.max_operations", strconv.Itoa(max), maxSource)
	return s
}

// samplingEndpoint is code's, else that of the variables, else of the agent if there is one, else local.
func (r *resolver) samplingEndpoint(code, argument string) (url, source string) {
	pick := func(value, name string) {
		if value == "" {
			return
		}
		if err := judgeURL(samplingURL(value)); err != nil {
			r.wrongURL(name, value, err)
		} else if url == "" {
			url, source = samplingURL(value), name
		}
	}
	if code != "" {
		url, source = samplingURL(code), inCode
	}
	for _, name := range []string{"JAEGER_SAMPLING_ENDPOINT", "JAEGER_SAMPLER_MANAGER_HOST_PORT"} {
		pick(r.get(name), name)
	}
	pick(argument, otelArgVariable)
	if host, err := hostName(r.get("JAEGER_AGENT_HOST")); url == "" && err == nil && host != "" {
		host = strings.ReplaceAll(host, "%", "%25") // of an IPv6 zone
		return "http://" + net.JoinHostPort(host, strconv.Itoa(jaeger.DefaultSamplingServerPort)) + samplingPath, "JAEGER_AGENT_HOST"
	}
	if url == "" {
		return defaultSampling, byDefault
	}
	return url, source
}

// jaegerSampler is what JAEGER_SAMPLER_* ask for; its source is "" if they do not. A sampling endpoint or a
// parameter without a type mean remote, as they do to jaeger-client-go.
func (r *resolver) jaegerSampler() (Sampler, string) {
	const typeVariable, paramVariable = "JAEGER_SAMPLER_TYPE", "JAEGER_SAMPLER_PARAM"
	kind, source := choose(r, "", "", from(r, typeVariable, oneOf("const", "probabilistic", "ratelimiting", "remote")))
	hasParam := r.get(paramVariable) != ""
	if source == byDefault {
		if r.get(typeVariable) != "" {
			choose(r, 0, 0, from(r, paramVariable, rate)) // what is right for some type
			return Sampler{}, ""
		}
		kind = "remote"
		for _, name := range []string{paramVariable, "JAEGER_SAMPLER_MANAGER_HOST_PORT", "JAEGER_SAMPLING_ENDPOINT"} {
			if r.get(name) != "" {
				source = name
			}
		}
		if source == byDefault {
			return Sampler{}, ""
		}
	}
	judge := map[string]func(string) (float64, error){"const": zeroOrOne, "probabilistic": ratio, "ratelimiting": rate, "remote": ratio}[kind]
	value, _ := choose(r, 0, 0, from(r, paramVariable, judge))
	if !hasParam && (kind == "probabilistic" || kind == "ratelimiting") {
		r.wrong(typeVariable, kind, wanted(paramVariable+" with it"))
	}
	switch kind {
	case "const":
		if !hasParam {
			value = 1
		}
		return Sampler{kind: constSampler, param: value}, source
	case "probabilistic":
		return Ratio(value), source
	case "ratelimiting":
		return RateLimit(value), source
	}
	options := RemoteOptions{}
	if hasParam {
		options.Initial = Ratio(value)
	}
	return Remote("", options), source
}

func zeroOrOne(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != 0 && f != 1 {
		return 0, wanted("0 for never or 1 for always")
	}
	return f, nil
}

func rate(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= math.MaxInt32) {
		return 0, wanted("a number, 0 or more")
	}
	return f, nil
}

const (
	otelSamplerVariable = "OTEL_TRACES_SAMPLER"
	otelArgVariable     = "OTEL_TRACES_SAMPLER_ARG"
)

// samplerArgument is OTEL_TRACES_SAMPLER_ARG of a remote sampler, still to be judged.
type samplerArgument struct{ endpoint, interval string }

// otelSampler is what OTEL_TRACES_SAMPLER asks for, if it counts. Samplers of OpenTelemetry that do not look at the
// parent become those that do: the engine always does.
func (r *resolver) otelSampler(used bool) (Sampler, samplerArgument) {
	known := []string{"always_on", "always_off", "traceidratio", "jaeger_remote", "parentbased_always_on", "parentbased_always_off",
		"parentbased_traceidratio", "parentbased_jaeger_remote"}
	name, source := choose(r, "", "", from(r, otelSamplerVariable, oneOf(known...)))
	if source == byDefault {
		return Sampler{}, samplerArgument{}
	}
	base, parentBased := strings.CutPrefix(name, "parentbased_")
	if !parentBased && used {
		r.warn("samplers obey the caller's decision here", slog.String(otelSamplerVariable, name), slog.String("used", "parentbased_"+name))
	}
	switch base {
	case "always_on":
		return Always(), samplerArgument{}
	case "always_off":
		return Never(), samplerArgument{}
	case "traceidratio":
		p, _ := choose(r, 0, 1, from(r, otelArgVariable, ratio))
		return Ratio(p), samplerArgument{}
	}
	return r.otelRemote()
}

// otelRemote reads endpoint=…,pollingIntervalMs=…,initialSamplingRate=….
func (r *resolver) otelRemote() (Sampler, samplerArgument) {
	var arg samplerArgument
	var options RemoteOptions
	n := 0
	for entry := range strings.SplitSeq(r.get(otelArgVariable), ",") {
		n++
		k, v, ok := strings.Cut(strings.TrimSpace(entry), "=")
		switch v = strings.TrimSpace(v); {
		case entry == "":
		case ok && k == "endpoint":
			arg.endpoint = v
		case ok && k == "pollingIntervalMs":
			arg.interval = v
		case ok && k == "initialSamplingRate":
			p, err := ratio(v)
			if err != nil {
				r.wrong(otelArgVariable, "initialSamplingRate="+v, err)
			}
			options.Initial = Ratio(p)
		default:
			r.wrongSecret(otelArgVariable, wanted(fmt.Sprintf("endpoint=URL,pollingIntervalMs=5000,initialSamplingRate=0.25; entry %d is none of them", n)))
		}
	}
	return Remote("", options), arg
}

package tracerinit

import (
	"log/slog"
	"math"
	"strconv"
	"strings"
)

const (
	jaegerSamplerType  = "JAEGER_SAMPLER_TYPE"
	jaegerSamplerParam = "JAEGER_SAMPLER_PARAM"
	otelSampler        = "OTEL_TRACES_SAMPLER"
	otelSamplerArg     = "OTEL_TRACES_SAMPLER_ARG"
)

// sampler is code's, else that of JAEGER_SAMPLER_*, else that of OTEL_TRACES_SAMPLER, else [Always].
func (r *resolver) sampler(code Sampler) Sampler {
	inCode := code.kind != noSampler
	fromJaeger, jaegerSource := r.jaegerSampler(!inCode)
	fromOTel, arg := r.otelSampler(!inCode && jaegerSource == "")
	chosen, source := Always(), sourceDefault
	var ignored []string
	switch {
	case inCode:
		chosen, source = code, sourceCode
		ignored = r.set(jaegerSamplerType, otelSampler)
		if err := code.check(); err != nil {
			r.wrongCode("Sampler", code, err)
		}
	case jaegerSource != "":
		chosen, source = fromJaeger, jaegerSource
		if fromOTel.kind != noSampler && (fromOTel.kind != chosen.kind || fromOTel.param != chosen.param) {
			r.conflict(jaegerSource, otelSampler)
			ignored = []string{otelSampler}
		}
	case fromOTel.kind != noSampler:
		chosen, source = fromOTel, otelSampler
	}
	if source != otelSampler {
		arg = samplerArgument{}
	}
	restore := r.onlyIf(chosen.kind == remoteSampling)
	remote, settings := r.remote(chosen, source, arg)
	restore()
	r.note("sampler", remote.String(), source, ignored...)
	r.settings = append(r.settings, settings...)
	return remote
}

// jaegerSampler is the sampler that JAEGER_SAMPLER_* name; its source is "" if they name none. A sampling endpoint or a
// parameter without a type mean remote, as they do to jaeger-client-go.
func (r *resolver) jaegerSampler(used bool) (Sampler, string) {
	defer r.onlyIf(used)()
	kind := choose(r, "", "", from(r, jaegerSamplerType, oneOf("const", "probabilistic", "ratelimiting", "remote")))
	source := kind.source
	if source == sourceDefault {
		if r.get(jaegerSamplerType) != "" { // it is wrong
			choose(r, 0, 0, from(r, jaegerSamplerParam, rate)) // what is right for some type
			return Sampler{}, ""
		}
		kind.value = "remote"
		for _, name := range r.set(jaegerSamplerParam, samplerManager, samplingEndpoint) {
			if !serviceLink.MatchString(r.get(name)) {
				source = name
			}
		}
		if source == sourceDefault {
			return Sampler{}, ""
		}
	}
	return r.jaegerSamplerOf(kind.value), source
}

func (r *resolver) jaegerSamplerOf(kind string) Sampler {
	parse := map[string]func(string) (float64, error){
		"const": zeroOrOne, "probabilistic": ratio, "ratelimiting": rate, "remote": ratio,
	}[kind]
	param := choose(r, 0, 0, from(r, jaegerSamplerParam, parse))
	hasParam := r.get(jaegerSamplerParam) != ""
	if !hasParam && (kind == "probabilistic" || kind == "ratelimiting") {
		r.wrong(jaegerSamplerType, kind, expected(jaegerSamplerParam+" with it"))
	}
	switch kind {
	case "const":
		if !hasParam {
			return Always()
		}
		return Sampler{kind: constSampling, param: param.value}
	case "probabilistic":
		return Ratio(param.value)
	case "ratelimiting":
		return RateLimit(param.value)
	}
	options := RemoteOptions{}
	if hasParam {
		options.Initial = Ratio(param.value)
	}
	return Remote("", options)
}

func zeroOrOne(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != 0 && f != 1 {
		return 0, expected("0 for never or 1 for always")
	}
	return f, nil
}

func rate(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= math.MaxInt32) {
		return 0, expected("a number, 0 or more")
	}
	return f, nil
}

// otelSampler is the sampler that OTEL_TRACES_SAMPLER names. Samplers of OpenTelemetry that do not look at the parent
// become those that do: jaeger-client-go always obeys a parent.
func (r *resolver) otelSampler(used bool) (Sampler, samplerArgument) {
	defer r.onlyIf(used)()
	known := []string{
		"always_on", "always_off", "traceidratio", "jaeger_remote", "parentbased_always_on", "parentbased_always_off",
		"parentbased_traceidratio", "parentbased_jaeger_remote",
	}
	name := choose(r, "", "", from(r, otelSampler, oneOf(known...)))
	if name.source == sourceDefault {
		if r.get(otelSamplerArg) != "" && r.get(otelSampler) == "" && used {
			r.warn(otelSamplerArg + " has no effect without " + otelSampler)
		}
		return Sampler{}, samplerArgument{}
	}
	base, parentBased := strings.CutPrefix(name.value, "parentbased_")
	if !parentBased && used {
		r.warn("samplers obey the caller's decision here",
			slog.String(otelSampler, name.value), slog.String("used", "parentbased_"+name.value))
	}
	switch base {
	case "always_on":
		return Always(), samplerArgument{}
	case "always_off":
		return Never(), samplerArgument{}
	case "traceidratio":
		return Ratio(choose(r, 0, 1, from(r, otelSamplerArg, ratio)).value), samplerArgument{}
	}
	return r.otelRemote()
}

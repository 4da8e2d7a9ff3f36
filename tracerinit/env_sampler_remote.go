package tracerinit

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/remotesampling"
)

const (
	samplingEndpoint = "JAEGER_SAMPLING_ENDPOINT"
	samplerManager   = "JAEGER_SAMPLER_MANAGER_HOST_PORT"
)

// samplerArgument is the part of OTEL_TRACES_SAMPLER_ARG that is parsed only if a remote sampler is used.
type samplerArgument struct{ endpoint, interval string }

// otelRemote reads endpoint=…,pollingIntervalMs=…,initialSamplingRate=….
func (r *resolver) otelRemote() (Sampler, samplerArgument) {
	var arg samplerArgument
	var options RemoteOptions
	raw := r.get(otelSamplerArg)
	n := 0
	for entry := range strings.SplitSeq(raw, ",") {
		n++
		k, v, ok := strings.Cut(strings.TrimSpace(entry), "=")
		k = strings.TrimSpace(k)
		switch v = strings.TrimSpace(v); {
		case entry == "":
		case ok && strings.EqualFold(k, "endpoint"):
			arg.endpoint = v
		case ok && strings.EqualFold(k, "pollingIntervalMs"):
			arg.interval = v
		case ok && strings.EqualFold(k, "initialSamplingRate"):
			p, err := ratio(v)
			if err != nil {
				r.wrongShown(otelSamplerArg, quoted("initialSamplingRate")+" in it", raw, err)
			}
			options.Initial = Ratio(p)
		default:
			r.wrongSecret(otelSamplerArg, raw, expected(fmt.Sprintf(
				"endpoint=URL,pollingIntervalMs=5000,initialSamplingRate=0.25; entry %d is none of them", n)))
		}
	}
	return Remote("", options), arg
}

// remote fills the options of a remote sampler and returns the settings in effect. Other samplers it returns as they
// are.
func (r *resolver) remote(s Sampler, source string, arg samplerArgument) (Sampler, []Setting) {
	options := RemoteOptions{}
	if s.remote != nil {
		options = *s.remote
	}
	operations := choose(r, options.MaxOperations, 2000, from(r, "JAEGER_SAMPLER_MAX_OPERATIONS", size))
	interval := choose(r, options.Interval, time.Minute, from(r, "JAEGER_SAMPLER_REFRESH_INTERVAL", duration),
		candidate[time.Duration]{otelSamplerArg, arg.interval, pollingInterval})
	endpoint, endpointSource, ignored := r.samplingEndpoint(s.url, arg.endpoint)
	if s.kind != remoteSampling {
		return s, nil
	}
	initialSource := source
	if options.Initial.kind == noSampler {
		options.Initial, initialSource = Ratio(0.001), sourceDefault
	}
	options.Interval, options.MaxOperations = interval.value, operations.value
	s = Remote(endpoint, options)
	return s, []Setting{
		{"sampler.endpoint", s.shownURL(), endpointSource, strings.Join(ignored, ", ")},
		{"sampler.initial", options.Initial.String(), initialSource, ""},
		{"sampler.interval", interval.value.String(), interval.source, strings.Join(interval.overrides, ", ")},
		{
			"sampler.max_operations", strconv.Itoa(operations.value), operations.source,
			strings.Join(operations.overrides, ", "),
		},
	}
}

func pollingInterval(s string) (time.Duration, error) {
	d, err := milliseconds(0)(s)
	if err == nil && d == 0 {
		return 0, errMeansDefault
	}
	return d, err
}

// samplingEndpoint is the endpoint of code, else of the variables, else of the agent if there is one, else the local
// one. ignored are the variables that have no effect.
func (r *resolver) samplingEndpoint(code, argument string) (endpoint, source string, ignored []string) {
	if code != "" {
		endpoint, source = samplingURL(code), sourceCode
	}
	pick := func(value, name string) {
		if value == "" {
			return
		}
		restore := r.onlyIf(endpoint == "")
		defer restore()
		value = samplingURL(value)
		switch err := validateSamplingURL(value); {
		case serviceLink.MatchString(value):
			r.reported[name] = true
			r.warn(
				"a variable holds the link to a Kubernetes service, not an endpoint, and is ignored",
				slogVariable(name),
			)
		case err != nil:
			r.wrongURL(name, value, err)
		case endpoint == "":
			endpoint, source = value, name
		case value != endpoint:
			ignored = append(ignored, name)
		}
	}
	for _, name := range []string{samplingEndpoint, samplerManager} {
		pick(r.get(name), name)
	}
	pick(argument, otelSamplerArg)
	if host, err := hostName(r.get(agentHost)); endpoint == "" && err == nil && host != "" {
		host = strings.ReplaceAll(host, "%", "%25") // of an IPv6 zone
		host = net.JoinHostPort(host, strconv.Itoa(jaeger.DefaultSamplingServerPort))
		return "http://" + host + samplingPath, agentHost, ignored
	}
	if endpoint == "" {
		return defaultSampling, sourceDefault, ignored
	}
	return endpoint, source, ignored
}

// validateSamplingURL checks an endpoint, and that there is a client for it.
func validateSamplingURL(endpoint string) error {
	if err := validateURL(endpoint, defaultSampling); err != nil {
		return err
	}
	u, err := url.Parse(endpoint)
	if _, linked := remotesampling.GRPC(); err == nil && forGRPC(u) && !linked {
		return errNeedsGRPC
	}
	return nil
}

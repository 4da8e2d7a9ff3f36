package jaegercfg

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/config"
)

// overlay replaces fields of a configuration by the variables that are set, as FromEnv of the stock package does.
// Unlike that, it takes a Kubernetes service link for no port, quotes no value in its errors, which may be a secret
// that was written into the wrong variable, and takes malformed tags for an error.
type overlay struct {
	lookup func(string) (string, bool)
	errs   []error
}

func (o *overlay) get(name string) string {
	v, ok := o.lookup(name)
	if !ok {
		return ""
	}
	return strings.TrimSpace(v)
}

// fill sets a field to what parse makes of a variable, if that is set.
func fill[T any](o *overlay, name string, field *T, parse func(string) (T, error)) {
	raw := o.get(name)
	if raw == "" {
		return
	}
	v, err := parse(raw)
	if err != nil {
		o.errs = append(o.errs, fmt.Errorf("%s: %w", name, err))
		return
	}
	*field = v
}

func anyText(s string) (string, error) { return s, nil }

func expect[T any](parse func(string) (T, error), want string) func(string) (T, error) {
	return func(s string) (T, error) {
		v, err := parse(s)
		if err != nil {
			err = errors.New("want " + want)
		}
		return v, err
	}
}

var (
	boolean  = expect(strconv.ParseBool, "true or false")
	number   = expect(strconv.Atoi, "a whole number")
	decimal  = expect(func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }, "a number")
	duration = expect(time.ParseDuration, "a duration such as 1s")
)

// apply returns the configuration with the variables in it. The one given is not changed.
func (o *overlay) apply(cfg config.Configuration) (config.Configuration, error) {
	fill(o, "JAEGER_SERVICE_NAME", &cfg.ServiceName, anyText)
	fill(o, "JAEGER_RPC_METRICS", &cfg.RPCMetrics, boolean)
	fill(o, "JAEGER_DISABLED", &cfg.Disabled, boolean)
	fill(o, "JAEGER_TRACEID_128BIT", &cfg.Gen128Bit, boolean)
	fill(o, "JAEGER_TAGS", &cfg.Tags, o.tags)
	cfg.Sampler, cfg.Reporter = o.sampler(cfg.Sampler), o.reporter(cfg.Reporter)
	if cfg.Disabled {
		return cfg, nil
	}
	return cfg, errors.Join(o.errs...)
}

func (o *overlay) sampler(from *config.SamplerConfig) *config.SamplerConfig {
	var s config.SamplerConfig
	if from != nil {
		s = *from
	}
	fill(o, "JAEGER_SAMPLER_TYPE", &s.Type, anyText)
	fill(o, "JAEGER_SAMPLER_PARAM", &s.Param, decimal)
	if host := o.get("JAEGER_AGENT_HOST"); host != "" {
		s.SamplingServerURL = "http://" + net.JoinHostPort(host, strconv.Itoa(jaeger.DefaultSamplingServerPort)) +
			"/sampling"
	}
	fill(o, "JAEGER_SAMPLER_MANAGER_HOST_PORT", &s.SamplingServerURL, anyText)
	fill(o, "JAEGER_SAMPLING_ENDPOINT", &s.SamplingServerURL, anyText)
	fill(o, "JAEGER_SAMPLER_MAX_OPERATIONS", &s.MaxOperations, number)
	fill(o, "JAEGER_SAMPLER_REFRESH_INTERVAL", &s.SamplingRefreshInterval, duration)
	return &s
}

// serviceLink matches the value that Kubernetes gives JAEGER_AGENT_PORT beside a service called jaeger-agent.
var serviceLink = regexp.MustCompile(`^(?i:tcp|udp|sctp)://`)

func (o *overlay) reporter(from *config.ReporterConfig) *config.ReporterConfig {
	var r config.ReporterConfig
	if from != nil {
		r = *from
	}
	fill(o, "JAEGER_REPORTER_MAX_QUEUE_SIZE", &r.QueueSize, number)
	fill(o, "JAEGER_REPORTER_FLUSH_INTERVAL", &r.BufferFlushInterval, duration)
	fill(o, "JAEGER_REPORTER_LOG_SPANS", &r.LogSpans, boolean)
	fill(o, "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", &r.DisableAttemptReconnecting, boolean)
	fill(o, "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL", &r.AttemptReconnectInterval, duration)
	if endpoint := o.get("JAEGER_ENDPOINT"); endpoint != "" {
		r.CollectorEndpoint = endpoint
		user, password := o.get("JAEGER_USER"), o.get("JAEGER_PASSWORD")
		if (user == "") != (password == "") {
			o.errs = append(o.errs, errors.New("JAEGER_USER and JAEGER_PASSWORD: want both or neither"))
		}
		r.User, r.Password = user, password
		return &r
	}
	host, port := jaeger.DefaultUDPSpanServerHost, jaeger.DefaultUDPSpanServerPort
	fill(o, "JAEGER_AGENT_HOST", &host, anyText)
	hasPort := o.get("JAEGER_AGENT_PORT") != "" && !serviceLink.MatchString(o.get("JAEGER_AGENT_PORT"))
	if hasPort {
		fill(o, "JAEGER_AGENT_PORT", &port, number)
	}
	if hasPort || o.get("JAEGER_AGENT_HOST") != "" || r.LocalAgentHostPort == "" {
		r.LocalAgentHostPort = net.JoinHostPort(host, strconv.Itoa(port))
	}
	return &r
}

// tags reads key=value,key=value; a value ${NAME:default} is that of another variable.
func (o *overlay) tags(list string) (tags []opentracing.Tag, err error) {
	for entry := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		k, v, ok := strings.Cut(entry, "=")
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if !ok || k == "" {
			return nil, errors.New("want key=value,key=value")
		}
		if inner, ok := strings.CutPrefix(v, "${"); ok && strings.HasSuffix(inner, "}") {
			name, def, _ := strings.Cut(strings.TrimSuffix(inner, "}"), ":")
			if v = def; o.get(name) != "" {
				v = o.get(name)
			}
		}
		tags = append(tags, opentracing.Tag{Key: k, Value: v})
	}
	return tags, nil
}

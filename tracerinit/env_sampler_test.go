package tracerinit

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestSamplersOfTheEnvironment(t *testing.T) {
	for _, c := range []struct{ pairs, want string }{
		{"", "always"},
		{"JAEGER_SAMPLER_TYPE=const", "always"},
		{"JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=1", "always"},
		{"JAEGER_SAMPLER_TYPE=ratelimiting JAEGER_SAMPLER_PARAM=2.5", "at most 2.5/s"},
		{"JAEGER_SAMPLER_TYPE=remote", "remote http://localhost:5778/sampling"},
		{"JAEGER_SAMPLER_PARAM=0.1", "remote http://localhost:5778/sampling"},
		{"JAEGER_SAMPLER_TYPE=remote JAEGER_AGENT_HOST=::1", "remote http://[::1]:5778/sampling"},
		{"JAEGER_SAMPLER_TYPE=remote JAEGER_AGENT_HOST=fe80::1%lo", "remote http://[fe80::1%lo]:5778/sampling"},
		{"JAEGER_AGENT_HOST=agent", "always"},
		{"JAEGER_SAMPLER_TYPE=probabilistic", "error: JAEGER_SAMPLER_PARAM"},
		{"JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=0.5", "error: 0 for never or 1 for always"},
		{"JAEGER_SAMPLER_TYPE=ratelimiting JAEGER_SAMPLER_PARAM=-1", "error: 0 or more"},
		{"OTEL_TRACES_SAMPLER=always_on", "always"},
		{"OTEL_TRACES_SAMPLER=always_off", "never"},
		{"OTEL_TRACES_SAMPLER=parentbased_always_on", "always"},
		{"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "ratio 1"},
		{"OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=0", "ratio 0"},
		{"OTEL_TRACES_SAMPLER=jaeger_remote", "remote http://localhost:5778/sampling"},
		{"OTEL_TRACES_SAMPLER=jaeger_remote OTEL_TRACES_SAMPLER_ARG=endpoint=x", "remote http://x/sampling"},
		{"OTEL_TRACES_SAMPLER=jaeger_remote OTEL_TRACES_SAMPLER_ARG=0.25", "error: initialSamplingRate"},
		{
			"OTEL_TRACES_SAMPLER=parentbased_jaeger_remote OTEL_TRACES_SAMPLER_ARG=initialSamplingRate=7",
			"error: from 0 to 1",
		},
	} {
		t.Run("environment "+c.pairs, func(t *testing.T) {
			_, r := resolveEnv(t, Config{}, strings.Fields(c.pairs)...)
			got := find(r, "sampler")[0].Value
			if part, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err := r.err(); err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %s", err, part)
				}
			} else if got != c.want || r.err() != nil {
				t.Errorf("%s, %v; want %s", got, r.err(), c.want)
			}
			// Samplers that ignore the parent become parent-based, with a warning.
			ignoresParent := regexp.MustCompile(`TRACES_SAMPLER=(always|traceid|jaeger)`).MatchString(c.pairs)
			if warned := len(r.warnings) > 0; warned != ignoresParent {
				t.Errorf("warnings %v", r.warnings)
			}
		})
	}
	out, r := resolveEnv(t, Config{}, "OTEL_TRACES_SAMPLER=parentbased_jaeger_remote",
		"OTEL_TRACES_SAMPLER_ARG=endpoint=http://s:5778/adapt_secret-1/api/sampling, pollingIntervalMs=5000,"+
			"initialSamplingRate=0.25")
	if o := out.sampler.remote; out.sampler.url != "http://s:5778/adapt_secret-1/api/sampling" ||
		o.Interval.Seconds() != 5 || o.Initial != Ratio(0.25) {
		t.Errorf("%v %+v", out.sampler.url, o)
	}
	if shown := fmt.Sprint(r.settings, out.sampler, r.err()); strings.Contains(shown, "secret-1") {
		t.Errorf("a token is shown: %s", shown)
	}
}

// A service link is ignored: it does not name a sampler either.
func TestAServiceLinkIsNoSamplingEndpoint(t *testing.T) {
	for _, name := range []string{"JAEGER_SAMPLING_ENDPOINT", "JAEGER_SAMPLER_MANAGER_HOST_PORT"} {
		t.Run(name, func(t *testing.T) {
			out, r := resolveEnv(t, Config{}, name+"=tcp://10.0.0.1:5778")
			if out.sampler != Always() || r.err() != nil || !strings.Contains(warningsOf(r), name) {
				t.Errorf("%v, %v, %s", out.sampler, r.err(), warningsOf(r))
			}
		})
	}
}

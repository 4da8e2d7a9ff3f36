package tracerinit_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/tracerinit"
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
		{"OTEL_TRACES_SAMPLER_ARG=0.1", "always"},
		{"JAEGER_SAMPLER_TYPE=const OTEL_TRACES_SAMPLER_ARG=0.1", "always"},
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
			r := resolve(tracerinit.Config{}, strings.Fields(c.pairs)...)
			got := valuesOf(r.Settings, "sampler")
			if part, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err := r.Err; err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %s", err, part)
				}
			} else if fmt.Sprint(got) != "["+c.want+"]" || r.Err != nil {
				t.Errorf("%q, %v; want %s", got, r.Err, c.want)
			}
			// Samplers that ignore the parent become parent-based, with a warning. An argument needs a sampler.
			ignoresParent := regexp.MustCompile(`TRACES_SAMPLER=(always|traceid|jaeger)|^OTEL_TRACES_SAMPLER_ARG`).MatchString(c.pairs)
			if warned := len(r.Warnings) > 0; warned != ignoresParent {
				t.Errorf("warnings %v", r.Warnings)
			}
		})
	}
}

func TestTheEnvironmentConfiguresTheRemoteSampler(t *testing.T) {
	server := newStrategies(t, text200(everything))
	tracer, _ := memory(t, tracerinit.Config{LookupEnv: env(
		"OTEL_SERVICE_NAME=shop", "OTEL_TRACES_SAMPLER=parentbased_jaeger_remote", "OTEL_TRACES_SAMPLER_ARG=endpoint="+
			server.URL+"/adapt_secret-1/api/sampling, pollingIntervalMs=5000,initialSamplingRate=0.25",
	)})
	eventually(t, "an answer", func() bool { return tracer.Stats().Sampler.Changed == 1 })
	if got := server.last.Load().URL.String(); got != "/adapt_secret-1/api/sampling?service=shop" {
		t.Errorf("requested %s", got)
	}
	settings := tracer.Settings()
	for name, want := range map[string]string{"sampler.interval": "5s", "sampler.initial": "ratio 0.25"} {
		t.Run(name, func(t *testing.T) {
			if got := valuesOf(settings, name); len(got) != 1 || got[0] != want {
				t.Errorf("%q, want %s", got, want)
			}
		})
	}
	if shown := fmt.Sprint(settings, tracer.Stats()); strings.Contains(shown, "secret-1") {
		t.Errorf("a token is shown: %s", shown)
	}
}

// A service link is ignored: it does not name a sampler either.
func TestAServiceLinkIsNoSamplingEndpoint(t *testing.T) {
	for _, name := range []string{"JAEGER_SAMPLING_ENDPOINT", "JAEGER_SAMPLER_MANAGER_HOST_PORT"} {
		t.Run(name, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, name+"=tcp://10.0.0.1:5778")
			got := valuesOf(r.Settings, "sampler")
			if fmt.Sprint(got) != "[always]" || r.Err != nil || !strings.Contains(fmt.Sprint(r.Warnings), name) {
				t.Errorf("%q, %v, %s", got, r.Err, r.Warnings)
			}
		})
	}
}

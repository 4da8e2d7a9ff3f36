package jaegercfg

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go/config"
)

// TestTheEnvironmentIsReadAsFromEnvReadsIt compares the two on variables that FromEnv can read.
func TestTheEnvironmentIsReadAsFromEnvReadsIt(t *testing.T) {
	code := func() config.Configuration {
		return config.Configuration{
			ServiceName: "code", Tags: []opentracing.Tag{{Key: "c", Value: "1"}},
			Sampler: &config.SamplerConfig{
				Type: "probabilistic", Param: 0.5, SamplingServerURL: "http://c", MaxOperations: 3,
			},
			Reporter: &config.ReporterConfig{QueueSize: 5, LocalAgentHostPort: "c:1"},
		}
	}
	for _, pairs := range []string{
		"",
		"JAEGER_SERVICE_NAME=env JAEGER_DISABLED=true JAEGER_RPC_METRICS=1 JAEGER_TRACEID_128BIT=T",
		"JAEGER_TAGS=a=b,c=${HOME_OF_X:none},d=${SET_X:none}",
		"JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=1",
		"JAEGER_SAMPLER_PARAM=0.25 JAEGER_SAMPLER_MAX_OPERATIONS=9 JAEGER_SAMPLER_REFRESH_INTERVAL=5s",
		"JAEGER_SAMPLING_ENDPOINT=http://s:5778/sampling JAEGER_SAMPLER_MANAGER_HOST_PORT=m:1 JAEGER_AGENT_HOST=a",
		"JAEGER_SAMPLER_MANAGER_HOST_PORT=m:1 JAEGER_AGENT_HOST=a",
		"JAEGER_AGENT_HOST=a",
		"JAEGER_AGENT_HOST=localhost",
		"JAEGER_AGENT_PORT=6831",
		"JAEGER_AGENT_HOST=a JAEGER_AGENT_PORT=7000 JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED=true",
		"JAEGER_REPORTER_MAX_QUEUE_SIZE=7 JAEGER_REPORTER_FLUSH_INTERVAL=2s JAEGER_REPORTER_LOG_SPANS=true",
		"JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL=30s",
		"JAEGER_ENDPOINT=http://j:14268/api/traces JAEGER_USER=u JAEGER_PASSWORD=p JAEGER_AGENT_HOST=a",
		"JAEGER_ENDPOINT=http://j:14268/api/traces",
	} {
		for name, base := range map[string]func() config.Configuration{
			"over code": code, "alone": func() config.Configuration { return config.Configuration{} },
		} {
			t.Run(pairs+" "+name, func(t *testing.T) {
				for _, pair := range append(strings.Fields(pairs), "SET_X=x") {
					k, v, _ := strings.Cut(pair, "=")
					t.Setenv(k, v)
				}
				stock := base()
				want, err := stock.FromEnv()
				if err != nil {
					t.Fatal(err)
				}
				before := base()
				got, err := (&overlay{lookup: os.LookupEnv}).apply(before)
				if diff := cmp.Diff(*want, got); diff != "" || err != nil {
					t.Errorf("%v (-FromEnv +ours):\n%s", err, diff)
				}
				if diff := cmp.Diff(base(), before); diff != "" {
					t.Errorf("the caller's configuration is changed:\n%s", diff)
				}
			})
		}
	}
}

func TestAWrongEnvironmentIsAnErrorWithoutSecrets(t *testing.T) {
	for variable, value := range map[string]string{
		"JAEGER_TAGS": "token=hush-hush,more", "JAEGER_SAMPLER_PARAM": "Bearer hush-hush",
		"JAEGER_DISABLED": "hush-hush", "JAEGER_AGENT_PORT": "hush-hush", "JAEGER_REPORTER_FLUSH_INTERVAL": "5",
		"JAEGER_SAMPLER_MAX_OPERATIONS": "hush-hush",
		"JAEGER_PASSWORD":               "hush-hush",
	} {
		t.Run(variable, func(t *testing.T) {
			lookup := func(name string) (string, bool) {
				v, ok := map[string]string{variable: value,
					"JAEGER_ENDPOINT": map[bool]string{true: "http://j"}[variable == "JAEGER_PASSWORD"]}[name]
				return v, ok
			}
			_, err := (&overlay{lookup: lookup}).apply(config.Configuration{ServiceName: "x"})
			if err == nil || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), "hush-hush") {
				t.Errorf("%v", err)
			}
			disabled := config.Configuration{Disabled: true}
			if _, err := (&overlay{lookup: lookup}).apply(disabled); err != nil {
				t.Errorf("disabled: %v", err)
			}
		})
	}
}

func TestAServiceLinkIsNoPort(t *testing.T) {
	lookup := func(name string) (string, bool) { return "udp://10.0.0.7:5775", name == "JAEGER_AGENT_PORT" }
	cfg, err := (&overlay{lookup: lookup}).apply(config.Configuration{ServiceName: "x"})
	if err != nil || cfg.Reporter.LocalAgentHostPort != "localhost:6831" {
		t.Errorf("%v, %+v", err, cfg.Reporter)
	}
}

func TestStartFromEnvLetsTheEnvironmentWin(t *testing.T) {
	t.Setenv("JAEGER_SERVICE_NAME", "env")
	t.Setenv("JAEGER_SAMPLER_TYPE", "const")
	t.Setenv("JAEGER_SAMPLER_PARAM", "1")
	t.Setenv("JAEGER_REPORTER_FLUSH_INTERVAL", "7s")
	cfg := config.Configuration{ServiceName: "code", Sampler: &config.SamplerConfig{Type: "probabilistic", Param: 0.5}}
	before := opentracing.GlobalTracer()
	defer opentracing.SetGlobalTracer(before)
	tracer, err := StartFromEnv(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	got := fmt.Sprint(tracer.Settings())
	for _, part := range []string{"service = env", "sampler = always", "queue.interval = " +
		(7 * time.Second).String()} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
}

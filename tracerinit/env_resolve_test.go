package tracerinit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// misconfigured is an exporter that cannot be opened.
type misconfigured struct{}

func (misconfigured) Name() string     { return "mine" }
func (misconfigured) Endpoint() string { return "" }

func (misconfigured) Open(tracerinit.Process) (tracerinit.Sender, error) {
	return nil, errors.New("misconfigured")
}

func TestAllWrongValuesAreReportedAtOnce(t *testing.T) {
	var pairs, names []string
	for _, v := range variables {
		if v.wrong != "" && !strings.Contains(v.name, "CLIENT_") && !strings.Contains(v.name, "CERTIFICATE") &&
			!strings.Contains(v.name, "OTLP_TRACES_") && v.name != tracerinit.OTelSamplerArg && v.name != tracerinit.JaegerSamplerParam {
			pairs, names = append(pairs, v.name+"="+v.wrong), append(names, v.name)
		}
	}
	var log logBuffer
	cfg := tracerinit.Config{
		Logger: log.Logger(), LookupEnv: env(pairs...),
		Queue: tracerinit.Queue{Size: -1}, Exporters: []tracerinit.Exporter{misconfigured{}},
		Reporters: []jaeger.Reporter{nil},
	}
	_, err := tracerinit.Start(local(cfg))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range append(names, "Config.Queue.Size", `exporter mine`, "Config.Reporters[0]") {
		if !strings.Contains(err.Error()+log.String(), name) {
			t.Errorf("%s is neither in the error nor in the log:\n%v\n%s", name, err, log.String())
		}
	}
	// The exporters come from code, so that nothing uses what the environment says of them.
	for _, unused := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "JAEGER_ENDPOINT", "JAEGER_AGENT_PORT",
		"OTEL_EXPORTER_JAEGER"} {
		t.Run(unused, func(t *testing.T) {
			if strings.Contains(err.Error(), unused) {
				t.Errorf("%s is in the error: %v", unused, err)
			}
		})
	}
}

func TestWrongValuesOfOnePurposeAreOneError(t *testing.T) {
	for _, pairs := range [][]string{
		{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/no/cert.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY=/no/key.pem"},
		{"JAEGER_SAMPLER_TYPE=wild", "JAEGER_SAMPLER_PARAM=much"},
	} {
		t.Run(fmt.Sprint(pairs), func(t *testing.T) {
			_, err := tracerinit.Start(local(tracerinit.Config{LookupEnv: env(pairs...)}))
			for _, pair := range pairs {
				name, value, _ := strings.Cut(pair, "=")
				if want := fmt.Sprintf("%s=%q", name, value); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("no %s in the error: %v", want, err)
				}
			}
		})
	}
}

func TestWrongCodeIsAnError(t *testing.T) {
	for name, cfg := range map[string]tracerinit.Config{
		"Config.Sampler":         {Sampler: tracerinit.Ratio(1.1)},
		"not negative":           {Sampler: tracerinit.RateLimit(-1)},
		"cannot be remote":       {Sampler: tracerinit.Remote("", tracerinit.RemoteOptions{Initial: tracerinit.Remote("", tracerinit.RemoteOptions{})})},
		"Config.Queue.Interval":  {Queue: tracerinit.Queue{Interval: -1}},
		"Config.Queue.Overflow":  {Queue: tracerinit.Queue{Overflow: 9}},
		"Config.ShutdownTimeout": {ShutdownTimeout: -1},
		"exporter jaeger/http":   {Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("nowhere")}},
		"Config.Propagation":     {Propagation: propagation(77)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tracerinit.Start(local(cfg)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	secret := tracerinit.Remote("http://u:secret-1@host:bad/secret-1", tracerinit.RemoteOptions{})
	if _, err := tracerinit.Start(local(tracerinit.Config{Sampler: secret})); err == nil || strings.Contains(err.Error(), "secret-1") {
		t.Errorf("a remote sampler's wrong URL: %v", err)
	}
}

func TestPrecedenceIsCodeJaegerOTelDefault(t *testing.T) {
	all := []string{"JAEGER_SERVICE_NAME=j", "OTEL_SERVICE_NAME=o", "JAEGER_REPORTER_MAX_QUEUE_SIZE=10",
		"OTEL_BSP_MAX_QUEUE_SIZE=20",
		"JAEGER_SAMPLER_TYPE=const", "JAEGER_SAMPLER_PARAM=0", "OTEL_TRACES_SAMPLER=parentbased_always_on",
		"JAEGER_PROPAGATION=jaeger", "OTEL_PROPAGATORS=b3", "JAEGER_TAGS=k=j", "OTEL_RESOURCE_ATTRIBUTES=k=o",
		"JAEGER_ENDPOINT=http://j/api/traces", "OTEL_TRACES_EXPORTER=console", "JAEGER_DISABLED=false",
		"OTEL_SDK_DISABLED=true"}
	otelOnly := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return strings.HasPrefix(s, "JAEGER") })
	code := tracerinit.Config{
		Service: "c", Queue: tracerinit.Queue{Size: 30}, Sampler: tracerinit.Ratio(0.5), Propagation: propagation(0),
		Tags: map[string]any{"k": "c"}, Disabled: true,
		Exporters: []tracerinit.Exporter{misconfigured{}},
	}
	want := []struct{ setting, code, jaeger, otel, def string }{
		{"service", "c", "j", "o", "unknown_service:" + filepath.Base(os.Args[0])},
		{"queue.size", "30", "10", "20", "8192"},
		{"sampler", "ratio 0.5", "never", "always", "always"},
		{"propagation.extract", "tracecontext", "jaeger", "b3", "tracecontext,jaeger,b3,b3multi"},
		{"tag.k", "c", "j", "o", ""},
		{
			"exporter", "mine ", "jaeger/http http://j/api/traces", "console /dev/stdout",
			"otlp/http http://localhost:4318/v1/traces",
		},
		{"disabled", "true", "false", "true", "false"},
	}
	for name, at := range map[string]struct {
		cfg   tracerinit.Config
		pairs []string
		pick  func(i int) string
	}{
		"code":    {code, all, func(i int) string { return want[i].code }},
		"jaeger":  {tracerinit.Config{}, all, func(i int) string { return want[i].jaeger }},
		"otel":    {tracerinit.Config{}, otelOnly, func(i int) string { return want[i].otel }},
		"default": {tracerinit.Config{}, nil, func(i int) string { return want[i].def }},
	} {
		t.Run(name, func(t *testing.T) {
			r := resolve(at.cfg, at.pairs...)
			for i, w := range want {
				t.Run(w.setting, func(t *testing.T) {
					got := find(r.Settings, w.setting)
					switch {
					case at.pick(i) == "" && len(got) == 0:
					case len(got) != 1 || got[0].Value != at.pick(i):
						t.Errorf("%v, want %q", got, at.pick(i))
					}
				})
			}
			if warned := len(r.Warnings); name == "jaeger" && warned != len(want) || name != "jaeger" && warned != 0 {
				t.Errorf("%s: %d warnings: %v", name, warned, r.Warnings)
			}
		})
	}
}

func TestConflictsAreLoggedOnceWithoutValues(t *testing.T) {
	var log logBuffer
	start(t, tracerinit.Config{
		Logger: log.Logger(), LookupEnv: env(
			"JAEGER_SERVICE_NAME=one", "OTEL_SERVICE_NAME=two", "OTEL_TRACES_EXPORTER=none", "JAEGER_TAGS=a=1,b=1",
			"OTEL_RESOURCE_ATTRIBUTES=a=2,b=2",
		),
	})
	for _, variable := range []string{"OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"} {
		t.Run(variable, func(t *testing.T) {
			if n := strings.Count(log.String(), "ignored="+variable); n != 1 {
				t.Errorf("%s: %d warnings:\n%s", variable, n, log.String())
			}
		})
	}
	var quiet logBuffer
	start(
		t,
		tracerinit.Config{
			Logger:    quiet.Logger(),
			LookupEnv: env("JAEGER_SERVICE_NAME=one", "OTEL_SERVICE_NAME=one", "OTEL_TRACES_EXPORTER=none"),
		},
	)
	if quiet.String() != "" {
		t.Errorf("the same value twice is no conflict: %s", quiet.String())
	}
}

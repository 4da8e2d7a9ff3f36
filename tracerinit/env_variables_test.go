package tracerinit_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/testspans"
	"github.com/spanloom/spanloom/tracerinit"
)

// resolve resolves a Config in an environment, without starting anything.
func resolve(cfg tracerinit.Config, pairs ...string) tracerinit.Resolution {
	cfg.LookupEnv = env(pairs...)
	return tracerinit.Resolve(cfg)
}

// find returns the settings of a name.
func find(settings []tracerinit.Setting, name string) []tracerinit.Setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s tracerinit.Setting) bool { return s.Name != name })
}

// valuesOf returns the values of the settings of a name.
func valuesOf(settings []tracerinit.Setting, name string) (values []string) {
	for _, s := range find(settings, name) {
		values = append(values, s.Value)
	}
	return values
}

var jaegerListed = []string{"OTEL_TRACES_EXPORTER=jaeger"}

// variables has a row for each variable: the setting it leads to, and a value that is wrong. "none" is a variable that
// has nothing to set, or whose effect other tests show.
var variables = []struct {
	name, value   string
	with          []string // other variables
	setting, want string
	source        string // if it is not the variable
	overrides     string
	wrong         string // "" if nothing is
	warns         bool   // a wrong value is only worth a warning
	allowed       string // part of the error
}{
	{name: "JAEGER_SERVICE_NAME", value: "shop", setting: "service", want: "shop"},
	{name: "JAEGER_DISABLED", value: "1", setting: "disabled", want: "true", wrong: "maybe", allowed: "true or false"},
	{name: "JAEGER_RPC_METRICS", value: "true", setting: "none", wrong: "maybe", allowed: "true or false", warns: true},
	{
		name: "JAEGER_TAGS", value: "region=eu, zone = b", setting: "tag.zone", want: "b", wrong: "region",
		allowed: "key=value",
	},
	{
		name: "JAEGER_TRACEID_128BIT", value: "false", setting: "trace_id.128bit", want: "false", wrong: "64",
		allowed: "true or false",
	},
	{
		name: "JAEGER_SAMPLER_TYPE", value: "const", with: []string{"JAEGER_SAMPLER_PARAM=0"}, setting: "sampler",
		want: "never", wrong: "wild", allowed: "const, probabilistic, ratelimiting, remote",
	},
	{
		name: "JAEGER_SAMPLER_PARAM", value: "0.25", with: []string{"JAEGER_SAMPLER_TYPE=probabilistic"},
		source: "JAEGER_SAMPLER_TYPE", setting: "sampler", want: "ratio 0.25", wrong: "1.5", allowed: "from 0 to 1",
	},
	{
		name: "JAEGER_SAMPLER_MANAGER_HOST_PORT", value: "agent:5778", setting: "sampler.endpoint",
		want: "http://agent:5778/sampling", wrong: "agent:66666", allowed: "a URL such as",
	},
	{
		name: "JAEGER_SAMPLING_ENDPOINT", value: "http://agent:5778/sampling", setting: "sampler.endpoint",
		want: "http://agent:5778/sampling", wrong: "ftp://agent", allowed: "a URL such as",
	},
	{
		name: "JAEGER_SAMPLER_MAX_OPERATIONS", value: "7", with: []string{"JAEGER_SAMPLER_TYPE=remote"},
		setting: "sampler.max_operations", want: "7", wrong: "-1", allowed: "a whole number from 1",
	},
	{
		name: "JAEGER_SAMPLER_REFRESH_INTERVAL", value: "5s", with: []string{"JAEGER_SAMPLER_TYPE=remote"},
		setting: "sampler.interval", want: "5s", wrong: "5", allowed: "a positive duration",
	},
	{
		name: "JAEGER_REPORTER_MAX_QUEUE_SIZE", value: "11", setting: "queue.size", want: "11", wrong: "-1",
		allowed: "a whole number from 1",
	},
	{
		name: "JAEGER_REPORTER_FLUSH_INTERVAL", value: "2s", setting: "queue.interval", want: "2s", wrong: "soon",
		allowed: "a positive duration",
	},
	{
		name: "JAEGER_REPORTER_LOG_SPANS", value: "true", setting: "log_spans", want: "true", wrong: "2",
		allowed: "true or false",
	},
	{
		name: "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", value: "true", setting: "none", wrong: "2",
		allowed: "true or false", warns: true,
	},
	{
		name: "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL", value: "30s", setting: "none", wrong: "30",
		allowed: "a positive duration", warns: true,
	},
	{
		name: "JAEGER_ENDPOINT", value: "http://jaeger:14268/api/traces", setting: "exporter",
		want: "jaeger/http http://jaeger:14268/api/traces", wrong: "jaeger:14268", allowed: "http://",
	},
	{
		name: "JAEGER_USER", value: "u", with: []string{"JAEGER_ENDPOINT=http://j", "JAEGER_PASSWORD=secret-1"},
		setting: "none",
	},
	{
		name: "JAEGER_PASSWORD", value: "secret-1", with: []string{"JAEGER_ENDPOINT=http://j", "JAEGER_USER=u"},
		setting: "none",
	},
	{name: "JAEGER_AUTH_TOKEN", value: "secret-1", with: []string{"JAEGER_ENDPOINT=http://j"}, setting: "none"},
	{
		name: "JAEGER_AGENT_HOST", value: "::1", setting: "exporter", want: "jaeger/udp [::1]:6831",
		wrong: "agent:6831", allowed: "without a port",
	},
	{
		name: "JAEGER_AGENT_PORT", value: "6832", setting: "exporter", want: "jaeger/udp localhost:6832",
		wrong: "66666", allowed: "1 to 65535",
	},
	{
		name: "JAEGER_PROPAGATION", value: "b3,W3C", setting: "propagation.inject", want: "b3multi,tracecontext",
		wrong: "b4", allowed: "tracecontext, jaeger, b3, b3multi",
	},

	{
		name: "OTEL_EXPORTER_JAEGER_ENDPOINT", value: "http://j:14268", with: jaegerListed, setting: "exporter",
		want: "jaeger/http http://j:14268/api/traces", wrong: "http://j:14250", allowed: "14268",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_PROTOCOL", value: "udp/thrift.compact", with: jaegerListed, setting: "exporter",
		want: "jaeger/udp localhost:6831", wrong: "udp/thrift.binary", allowed: "6831",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_AGENT_HOST", value: "agent", with: jaegerListed, setting: "exporter",
		want: "jaeger/udp agent:6831", wrong: "agent:6831", allowed: "without a port",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_AGENT_PORT", value: "7000", with: jaegerListed, setting: "exporter",
		want: "jaeger/udp localhost:7000", wrong: "x", allowed: "1 to 65535",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_TIMEOUT", value: "250", with: jaegerListed, setting: "exporter.timeout",
		want: "250ms", wrong: "1s", allowed: "milliseconds",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_USER", value: "u",
		with: append([]string{"OTEL_EXPORTER_JAEGER_PASSWORD=secret-1"}, jaegerListed...), setting: "none",
	},
	{
		name: "OTEL_EXPORTER_JAEGER_PASSWORD", value: "secret-1",
		with: append([]string{"OTEL_EXPORTER_JAEGER_USER=u"}, jaegerListed...), setting: "none",
	},

	{
		name: "OTEL_SERVICE_NAME", value: "shop", with: []string{"OTEL_RESOURCE_ATTRIBUTES=service.name=other"},
		setting: "service", want: "shop", overrides: "OTEL_RESOURCE_ATTRIBUTES",
	},
	{
		name: "OTEL_RESOURCE_ATTRIBUTES", value: "service.name=shop,team=web%20shop", setting: "tag.team",
		want: "web shop", wrong: "team", allowed: "key=value",
	},
	{
		name: "OTEL_SDK_DISABLED", value: "TRUE", setting: "disabled", want: "true", wrong: "yes",
		allowed: "neither true nor false", warns: true,
	},
	{
		name: "OTEL_TRACES_EXPORTER", value: "console", setting: "exporter", want: "console /dev/stdout",
		wrong: "prometheus", allowed: "otlp, console, none, jaeger",
	},
	{
		name: "OTEL_PROPAGATORS", value: "tracecontext, baggage ,b3multi", setting: "propagation.extract",
		want: "tracecontext,b3multi", wrong: "w4c", allowed: "tracecontext, jaeger, b3, b3multi",
	},
	{
		name: "OTEL_TRACES_SAMPLER", value: "parentbased_always_off", setting: "sampler", want: "never",
		wrong: "sometimes", allowed: "parentbased_jaeger_remote",
	},
	{
		name: "OTEL_TRACES_SAMPLER_ARG", value: "0.5", with: []string{"OTEL_TRACES_SAMPLER=traceidratio"},
		source: "OTEL_TRACES_SAMPLER", setting: "sampler", want: "ratio 0.5", wrong: "NaN", allowed: "from 0 to 1",
	},
	{
		name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector:4318", setting: "exporter",
		want: "otlp/http http://collector:4318/v1/traces", wrong: "collector", allowed: "http://",
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value: "http://collector:4318/custom", setting: "exporter",
		want: "otlp/http http://collector:4318/***", wrong: "http://:1", allowed: "http://",
	},
	{
		name: "OTEL_EXPORTER_OTLP_PROTOCOL", value: "http/protobuf", setting: "exporter",
		want: "otlp/http http://localhost:4318/v1/traces", wrong: "thrift", allowed: "http/protobuf, grpc",
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value: "http/protobuf", setting: "exporter",
		want: "otlp/http http://localhost:4318/v1/traces", wrong: "http/json", allowed: "http/protobuf, grpc",
	},
	{
		name: "OTEL_EXPORTER_OTLP_HEADERS", value: "a=b,c=d%20e", setting: "none", wrong: "secret-1",
		allowed: "name=value",
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", value: "a=b", setting: "none", wrong: "bad name=secret-1",
		allowed: "name=value",
	},
	{name: "OTEL_EXPORTER_OTLP_TIMEOUT", value: "1500", setting: "none", wrong: "1s", allowed: "milliseconds"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", value: "1500", setting: "none", wrong: "-1", allowed: "milliseconds"},
	{name: "OTEL_EXPORTER_OTLP_COMPRESSION", value: "none", setting: "none", wrong: "zstd", allowed: "gzip, none"},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value: "gzip", setting: "none", wrong: "zstd",
		allowed: "gzip, none",
	},
	{name: "OTEL_EXPORTER_OTLP_CERTIFICATE", setting: "none", wrong: "/no/such/roots.pem", allowed: "no such file"},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", setting: "none", wrong: "/no/such/roots.pem",
		allowed: "no such file",
	},
	{
		name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", setting: "none", wrong: "/no/such/key.pem",
		allowed: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", setting: "none", wrong: "/no/such/key.pem",
		allowed: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
	},
	{
		name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", setting: "none", wrong: "/no/such/cert.pem",
		allowed: "OTEL_EXPORTER_OTLP_CLIENT_KEY",
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", setting: "none", wrong: "/no/such/cert.pem",
		allowed: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
	},
	{
		name: "OTEL_EXPORTER_OTLP_INSECURE", value: "true", setting: "none", wrong: "2",
		allowed: "neither true nor false", warns: true,
	},
	{
		name: "OTEL_EXPORTER_OTLP_TRACES_INSECURE", value: "true", setting: "none", wrong: "2",
		allowed: "neither true nor false", warns: true,
	},
	{
		name: "OTEL_BSP_SCHEDULE_DELAY", value: "250", setting: "queue.interval", want: "250ms", wrong: "1s",
		allowed: "milliseconds",
	},
	{
		name: "OTEL_BSP_MAX_QUEUE_SIZE", value: "99", setting: "queue.size", want: "99", wrong: "-1",
		allowed: "a whole number from 1",
	},
	{
		name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", value: "9", setting: "queue.batch", want: "9", wrong: "many",
		allowed: "a whole number from 1",
	},
	{
		name: "OTEL_BSP_EXPORT_TIMEOUT", value: "250", setting: "queue.timeout", want: "250ms", wrong: "-3",
		allowed: "milliseconds",
	},
	{
		name: "OTEL_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "limits.tags", want: "5", wrong: "-1",
		allowed: "a whole number from 0",
	},
	{
		name: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", value: "5", setting: "limits.value_bytes", want: "5", wrong: "5k",
		allowed: "a whole number from 0",
	},
	{
		name: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", value: "5", with: []string{"OTEL_ATTRIBUTE_COUNT_LIMIT=9"},
		setting: "limits.tags", want: "5", wrong: "0x5", allowed: "a whole number from 0",
		overrides: "OTEL_ATTRIBUTE_COUNT_LIMIT",
	},
	{
		name: "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", value: "5", setting: "limits.value_bytes", want: "5",
		wrong: "five", allowed: "a whole number from 0",
	},
	{
		name: "OTEL_SPAN_EVENT_COUNT_LIMIT", value: "5", setting: "limits.logs", want: "5", wrong: "1e3",
		allowed: "a whole number from 0",
	},
	{
		name: "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "limits.fields", want: "5", wrong: "99999999999",
		allowed: "a whole number from 0",
	},
	{
		name: "OTEL_SPAN_LINK_COUNT_LIMIT", value: "5", setting: "none", wrong: "-", allowed: "a whole number from 0",
		warns: true,
	},
	{
		name: "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "none", wrong: "-",
		allowed: "a whole number from 0", warns: true,
	},
}

func TestEveryVariableIsRead(t *testing.T) {
	for _, v := range variables {
		if v.setting == "none" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, append(v.with, v.name+"="+v.value)...)
			if err := r.Err; err != nil {
				t.Errorf("%s: %v", v.value, err)
			}
			want := []tracerinit.Setting{
				{Name: v.setting, Value: v.want, Source: cmp.Or(v.source, v.name), Overrides: v.overrides},
			}
			if diff := gocmp.Diff(want, find(r.Settings, v.setting)); diff != "" {
				t.Errorf("%s: settings (-want +got):\n%s", v.value, diff)
			}
			r = resolve(tracerinit.Config{}, append(v.with, v.name+"=  ")...)
			if got := find(r.Settings, v.setting); len(got) > 0 && got[0].Source == v.name || r.Err != nil && v.source == "" {
				t.Errorf("blank: %v, %v", got, r.Err)
			}
		})
	}
}

func TestAWrongValueIsReportedWithItsVariable(t *testing.T) {
	for _, v := range variables {
		if v.wrong == "" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			var log logBuffer
			tracer, err := tracerinit.Start(
				local(tracerinit.Config{Logger: log.Logger(), LookupEnv: env(append(v.with, v.name+"="+v.wrong)...)}),
			)
			report := fmt.Sprint(err)
			if v.warns {
				report = log.String()
			}
			if tracer != nil {
				shutdown(t, tracer, 0)
			}
			if isError := err != nil; isError == v.warns {
				t.Fatalf("%s: error %v", v.wrong, err)
			}
			for _, part := range []string{v.name, v.allowed} {
				if !strings.Contains(report, part) {
					t.Errorf("%s: no %q in %s", v.wrong, part, report)
				}
			}
			if secret := strings.Contains(v.wrong, "secret-1"); !v.warns &&
				strings.Contains(report, v.wrong) == secret {
				t.Errorf("%s: the value is missing, or is a secret: %s", v.wrong, report)
			}
		})
	}
}

// TestADisabledTracerStartsWhateverIsWrong sets every variable to a wrong value, one by one and all together.
func TestADisabledTracerStartsWhateverIsWrong(t *testing.T) {
	wrong := map[string][]string{"JAEGER_DISABLED": {"JAEGER_DISABLED=maybe", "OTEL_SDK_DISABLED=true"}}
	for _, v := range variables {
		if v.wrong != "" && !strings.Contains(v.name, "DISABLED") {
			wrong[v.name] = append(v.with, v.name+"="+v.wrong, "OTEL_SDK_DISABLED=true")
			wrong["all"] = append(wrong["all"], v.name+"="+v.wrong)
		}
	}
	wrong["all"] = append(wrong["all"], "JAEGER_DISABLED=true")
	for name, pairs := range wrong {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			tracer := start(t, tracerinit.Config{Logger: log.Logger(), LookupEnv: env(pairs...)})
			if !strings.Contains(log.String(), strings.TrimSuffix(name, "all")) {
				t.Errorf("no warning:\n%s", log.String())
			}
			span := testspans.Start(t, tracer, "x")
			if sent := injected(t, tracer, span.Context()); len(sent) > 0 || tracer.Stats().Started > 0 {
				t.Errorf("a span is started, which sends %v", sent)
			}
		})
	}
	t.Run("code", func(t *testing.T) {
		start(t, tracerinit.Config{
			Disabled: true, Exporters: []tracerinit.Exporter{tracerinit.JaegerHTTP("nowhere"), misconfigured{},
				nil}, Sampler: tracerinit.Ratio(7), Queue: tracerinit.Queue{
				Size: -1,
			},
			Propagation: propagation(77), Reporters: []jaeger.Reporter{nil}, ShutdownTimeout: -1,
		})
	})
}

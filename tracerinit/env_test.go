package tracerinit

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uber/jaeger-client-go"
)

// resolveEnv resolves a Config in an environment, without starting anything.
func resolveEnv(t testing.TB, cfg Config, pairs ...string) (resolved, *resolver) {
	t.Helper()
	r := &resolver{lookup: env(pairs...)}
	out := r.resolve(cfg)
	return out, r
}

func find(r *resolver, name string) []Setting {
	var out []Setting
	for _, s := range r.settings {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// variables has a row for each variable: the setting it leads to, and a value that is wrong. "none" is a variable that
// has nothing to set, or whose effect other tests show.
var variables = []struct {
	name, value   string
	with          []string // other variables
	setting, want string
	source        string // if it is not the variable
	wrong         string // "" if nothing is
	allowed       string // part of the error
}{
	{name: "JAEGER_SERVICE_NAME", value: "shop", setting: "service", want: "shop"},
	{name: "JAEGER_DISABLED", value: "1", setting: "disabled", want: "true", wrong: "maybe", allowed: "true or false"},
	{name: "JAEGER_RPC_METRICS", value: "true", setting: "none", wrong: "maybe", allowed: "true or false"},
	{name: "JAEGER_TAGS", value: "region=eu, zone = b", setting: "tag.zone", want: "b", wrong: "region", allowed: "key=value"},
	{name: "JAEGER_TRACEID_128BIT", value: "false", setting: "trace_id.128bit", want: "false", wrong: "64", allowed: "true or false"},
	{name: "JAEGER_SAMPLER_TYPE", value: "const", with: []string{"JAEGER_SAMPLER_PARAM=0"}, setting: "sampler", want: "never", wrong: "wild", allowed: "const, probabilistic, ratelimiting, remote"},
	{name: "JAEGER_SAMPLER_PARAM", value: "0.25", with: []string{"JAEGER_SAMPLER_TYPE=probabilistic"}, source: "JAEGER_SAMPLER_TYPE", setting: "sampler", want: "ratio 0.25", wrong: "1.5", allowed: "from 0 to 1"},
	{name: "JAEGER_SAMPLER_MANAGER_HOST_PORT", value: "agent:5778", setting: "sampler.endpoint", want: "http://agent:5778/sampling", wrong: "agent:port", allowed: "a URL such as"},
	{name: "JAEGER_SAMPLING_ENDPOINT", value: "http://agent:5778/sampling", setting: "sampler.endpoint", want: "http://agent:5778/sampling", wrong: "ftp://agent", allowed: "a URL such as"},
	{name: "JAEGER_SAMPLER_MAX_OPERATIONS", value: "7", with: []string{"JAEGER_SAMPLER_TYPE=remote"}, setting: "sampler.max_operations", want: "7", wrong: "0", allowed: "a whole number from 1"},
	{name: "JAEGER_SAMPLER_REFRESH_INTERVAL", value: "5s", with: []string{"JAEGER_SAMPLER_TYPE=remote"}, setting: "sampler.interval", want: "5s", wrong: "5", allowed: "a positive duration"},
	{name: "JAEGER_REPORTER_MAX_QUEUE_SIZE", value: "11", setting: "queue.size", want: "11", wrong: "-1", allowed: "a whole number from 1"},
	{name: "JAEGER_REPORTER_FLUSH_INTERVAL", value: "2s", setting: "queue.interval", want: "2s", wrong: "soon", allowed: "a positive duration"},
	{name: "JAEGER_REPORTER_LOG_SPANS", value: "true", setting: "log_spans", want: "true", wrong: "2", allowed: "true or false"},
	{name: "JAEGER_REPORTER_ATTEMPT_RECONNECTING_DISABLED", value: "true", setting: "none", wrong: "2", allowed: "true or false"},
	{name: "JAEGER_REPORTER_ATTEMPT_RECONNECT_INTERVAL", value: "30s", setting: "none", wrong: "30", allowed: "a positive duration"},
	{name: "JAEGER_ENDPOINT", value: "http://jaeger:14268/api/traces", setting: "exporter", want: "jaeger/http http://jaeger:14268/api/traces", wrong: "jaeger:14268", allowed: "http://"},
	{name: "JAEGER_USER", value: "u", with: []string{"JAEGER_ENDPOINT=http://j", "JAEGER_PASSWORD=secret-1"}, setting: "none"},
	{name: "JAEGER_PASSWORD", value: "secret-1", with: []string{"JAEGER_ENDPOINT=http://j", "JAEGER_USER=u"}, setting: "none"},
	{name: "JAEGER_AUTH_TOKEN", value: "secret-1", with: []string{"JAEGER_ENDPOINT=http://j"}, setting: "none"},
	{name: "JAEGER_AGENT_HOST", value: "::1", setting: "exporter", want: "jaeger/udp [::1]:6831", wrong: "agent:6831", allowed: "without a port"},
	{name: "JAEGER_AGENT_PORT", value: "6832", setting: "exporter", want: "jaeger/udp localhost:6832", wrong: "66666", allowed: "1 to 65535"},
	{name: "JAEGER_PROPAGATION", value: "b3,W3C", setting: "propagation.inject", want: "b3,tracecontext", wrong: "b4", allowed: "tracecontext, jaeger, b3, b3multi"},

	{name: "OTEL_SERVICE_NAME", value: "shop", with: []string{"OTEL_RESOURCE_ATTRIBUTES=service.name=other"}, setting: "service", want: "shop"},
	{name: "OTEL_RESOURCE_ATTRIBUTES", value: "service.name=shop,team=web%20shop", setting: "tag.team", want: "web shop", wrong: "team", allowed: "key=value"},
	{name: "OTEL_SDK_DISABLED", value: "TRUE", setting: "disabled", want: "true", wrong: "yes", allowed: "true or false"},
	{name: "OTEL_TRACES_EXPORTER", value: "console", setting: "exporter", want: "console /dev/stdout", wrong: "prometheus", allowed: "otlp, console, none, jaeger"},
	{name: "OTEL_PROPAGATORS", value: "tracecontext, baggage ,b3multi", setting: "propagation.extract", want: "tracecontext,b3multi", wrong: "w4c", allowed: "tracecontext, jaeger, b3, b3multi"},
	{name: "OTEL_TRACES_SAMPLER", value: "parentbased_always_off", setting: "sampler", want: "never", wrong: "sometimes", allowed: "parentbased_jaeger_remote"},
	{name: "OTEL_TRACES_SAMPLER_ARG", value: "0.5", with: []string{"OTEL_TRACES_SAMPLER=traceidratio"}, source: "OTEL_TRACES_SAMPLER", setting: "sampler", want: "ratio 0.5", wrong: "NaN", allowed: "from 0 to 1"},
	{name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://collector:4318", setting: "exporter", want: "otlp/http http://collector:4318/v1/traces", wrong: "collector", allowed: "http://"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value: "http://collector:4318/custom", setting: "exporter", want: "otlp/http http://collector:4318/***", wrong: "http://:1", allowed: "http://"},
	{name: "OTEL_EXPORTER_OTLP_PROTOCOL", value: "http/protobuf", setting: "exporter", want: "otlp/http http://localhost:4318/v1/traces", wrong: "thrift", allowed: "http/protobuf, grpc"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value: "http/protobuf", setting: "exporter", want: "otlp/http http://localhost:4318/v1/traces", wrong: "http/json", allowed: "http/protobuf, grpc"},
	{name: "OTEL_EXPORTER_OTLP_HEADERS", value: "a=b,c=d%20e", setting: "none", wrong: "secret-1", allowed: "name=value"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", value: "a=b", setting: "none", wrong: "bad name=secret-1", allowed: "name=value"},
	{name: "OTEL_EXPORTER_OTLP_TIMEOUT", value: "1500", setting: "none", wrong: "1s", allowed: "milliseconds"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", value: "1500", setting: "none", wrong: "0", allowed: "milliseconds"},
	{name: "OTEL_EXPORTER_OTLP_COMPRESSION", value: "none", setting: "none", wrong: "zstd", allowed: "gzip, none"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value: "gzip", setting: "none", wrong: "zstd", allowed: "gzip, none"},
	{name: "OTEL_EXPORTER_OTLP_CERTIFICATE", setting: "none", wrong: "/no/such/roots.pem", allowed: "no such file"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", setting: "none", wrong: "/no/such/roots.pem", allowed: "no such file"},
	{name: "OTEL_EXPORTER_OTLP_CLIENT_KEY", setting: "none", wrong: "/no/such/key.pem", allowed: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", setting: "none", wrong: "/no/such/key.pem", allowed: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"},
	{name: "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", setting: "none", wrong: "/no/such/cert.pem", allowed: "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", setting: "none", wrong: "/no/such/cert.pem", allowed: "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"},
	{name: "OTEL_EXPORTER_OTLP_INSECURE", value: "true", setting: "none", wrong: "2", allowed: "true or false"},
	{name: "OTEL_EXPORTER_OTLP_TRACES_INSECURE", value: "true", setting: "none", wrong: "2", allowed: "true or false"},
	{name: "OTEL_BSP_SCHEDULE_DELAY", value: "250", setting: "queue.interval", want: "250ms", wrong: "1s", allowed: "milliseconds"},
	{name: "OTEL_BSP_MAX_QUEUE_SIZE", value: "99", setting: "queue.size", want: "99", wrong: "0", allowed: "a whole number from 1"},
	{name: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", value: "9", setting: "queue.batch", want: "9", wrong: "many", allowed: "a whole number from 1"},
	{name: "OTEL_BSP_EXPORT_TIMEOUT", value: "250", setting: "queue.timeout", want: "250ms", wrong: "-3", allowed: "milliseconds"},
	{name: "OTEL_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "limits.tags", want: "5", wrong: "-1", allowed: "a whole number from 1"},
	{name: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", value: "5", setting: "limits.value_bytes", want: "5", wrong: "5k", allowed: "a whole number from 1"},
	{name: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", value: "5", with: []string{"OTEL_ATTRIBUTE_COUNT_LIMIT=9"}, setting: "limits.tags", want: "5", wrong: "0x5", allowed: "a whole number from 1"},
	{name: "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", value: "5", setting: "limits.value_bytes", want: "5", wrong: "five", allowed: "a whole number from 1"},
	{name: "OTEL_SPAN_EVENT_COUNT_LIMIT", value: "5", setting: "limits.logs", want: "5", wrong: "1e3", allowed: "a whole number from 1"},
	{name: "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "limits.fields", want: "5", wrong: "99999999999", allowed: "a whole number from 1"},
	{name: "OTEL_SPAN_LINK_COUNT_LIMIT", value: "5", setting: "none", wrong: "-", allowed: "a whole number from 0"},
	{name: "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", value: "5", setting: "none", wrong: "-", allowed: "a whole number from 0"},
}

func TestEveryVariableIsRead(t *testing.T) {
	for _, v := range variables {
		if v.setting == "none" {
			continue
		}
		_, r := resolveEnv(t, Config{}, append(v.with, v.name+"="+v.value)...)
		if err := r.err(); err != nil {
			t.Errorf("%s=%s: %v", v.name, v.value, err)
		}
		want := []Setting{{v.setting, v.want, cmp.Or(v.source, v.name)}}
		if diff := gocmp.Diff(want, find(r, v.setting)); diff != "" {
			t.Errorf("%s=%s: settings (-want +got):\n%s", v.name, v.value, diff)
		}
		_, r = resolveEnv(t, Config{}, append(v.with, v.name+"=  ")...)
		if got := find(r, v.setting); len(got) > 0 && got[0].Source == v.name || r.err() != nil && v.source == "" {
			t.Errorf("%s is blank: %v, %v", v.name, got, r.err())
		}
	}
}

func TestWrongValuesAreErrorsThatNameTheVariable(t *testing.T) {
	for _, v := range variables {
		if v.wrong == "" {
			continue
		}
		_, err := Start(local(Config{LookupEnv: env(append(v.with, v.name+"="+v.wrong)...)}))
		if err == nil {
			t.Errorf("%s=%s: no error", v.name, v.wrong)
			continue
		}
		for _, part := range []string{v.name, v.allowed} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s=%s: no %q in the error: %v", v.name, v.wrong, part, err)
			}
		}
		if secret := strings.Contains(v.wrong, "secret-1"); strings.Contains(err.Error(), v.wrong) == secret {
			t.Errorf("%s=%s: the value is not told, or is a secret: %v", v.name, v.wrong, err)
		}
	}
}

func TestAllWrongValuesAreToldAtOnce(t *testing.T) {
	var pairs, names []string
	for _, v := range variables {
		if v.wrong != "" && !strings.Contains(v.name, "CLIENT_") && !strings.Contains(v.name, "OTLP_TRACES_") {
			pairs, names = append(pairs, v.name+"="+v.wrong), append(names, v.name)
		}
	}
	cfg := Config{LookupEnv: env(pairs...), Queue: Queue{Size: -1}, Exporters: []Exporter{{Name: "mine"}}, Reporters: []jaeger.Reporter{nil}}
	_, err := Start(local(cfg))
	if err == nil {
		t.Fatal("no error")
	}
	// Wrong where it counts only: the exporters come from code here, and the sampler's argument needs its sampler.
	optional := []string{"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_TRACES_SAMPLER_ARG", "JAEGER_SAMPLER_PARAM"}
	for _, name := range append(names, "Config.Queue.Size", `exporter mine`, "Config.Reporters[0]") {
		if !strings.Contains(err.Error(), name) && !slices.Contains(optional, name) {
			t.Errorf("%s is not in the error:\n%v", name, err)
		}
	}
}

func TestWrongValuesOfOnePurposeAreToldAtOnce(t *testing.T) {
	for _, pairs := range [][]string{
		{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/no/cert.pem", "OTEL_EXPORTER_OTLP_CLIENT_KEY=/no/key.pem"},
		{"JAEGER_SAMPLER_TYPE=wild", "JAEGER_SAMPLER_PARAM=much"},
	} {
		_, err := Start(local(Config{LookupEnv: env(pairs...)}))
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			if want := fmt.Sprintf("%s=%q", name, value); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("no %s in the error: %v", want, err)
			}
		}
	}
}

// A secret that was set to the wrong variable is one still.
func TestAMisplacedSecretIsNotTold(t *testing.T) {
	const arg = "OTEL_TRACES_SAMPLER_ARG"
	misplaced := [][]string{
		{arg + "=endpoint=http://host/adapt_secret-1", "OTEL_TRACES_SAMPLER=traceidratio"},
		{arg + "=secret-1", "OTEL_TRACES_SAMPLER=jaeger_remote"},
	}
	for _, v := range variables {
		for _, value := range []string{"http://u:secret-1@host:x/", "ftp://host/adapt_secret-1", "a=b,Authorization=secret-1,?", "u:secret-1@host", "endpoint=secret-1"} {
			if v.wrong != "" {
				misplaced = append(misplaced, append(v.with, v.name+"="+value))
			}
		}
	}
	for _, pairs := range misplaced {
		tracer, err := Start(local(Config{LookupEnv: env(pairs...)}))
		switch {
		case err == nil:
			shutdown(t, tracer, 0)
		case strings.Contains(err.Error(), "secret-1"):
			t.Errorf("%q: %v", pairs, err)
		}
	}
}

func TestWrongCodeIsAnError(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Config.Sampler":         {Sampler: Ratio(1.1)},
		"not negative":           {Sampler: RateLimit(-1)},
		"cannot be remote":       {Sampler: Remote("", RemoteOptions{Initial: Remote("", RemoteOptions{})})},
		"Config.Queue.Interval":  {Queue: Queue{Interval: -1}},
		"Config.Queue.Overflow":  {Queue: Queue{Overflow: 9}},
		"Config.ShutdownTimeout": {ShutdownTimeout: -1},
		"exporter jaeger/http":   {Exporters: []Exporter{JaegerHTTP("nowhere")}},
		"Config.Propagation":     {Propagation: propagation(77)},
	} {
		if _, err := Start(local(cfg)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := Remote("http://u:secret-1@host:bad/secret-1", RemoteOptions{})
	if _, err := Start(local(Config{Sampler: secret})); err == nil || strings.Contains(err.Error(), "secret-1") {
		t.Errorf("a remote sampler's wrong URL: %v", err)
	}
}

func TestPrecedenceIsCodeJaegerOTelDefault(t *testing.T) {
	all := []string{"JAEGER_SERVICE_NAME=j", "OTEL_SERVICE_NAME=o", "JAEGER_REPORTER_MAX_QUEUE_SIZE=10", "OTEL_BSP_MAX_QUEUE_SIZE=20",
		"JAEGER_SAMPLER_TYPE=const", "JAEGER_SAMPLER_PARAM=0", "OTEL_TRACES_SAMPLER=parentbased_always_on",
		"JAEGER_PROPAGATION=jaeger", "OTEL_PROPAGATORS=b3", "JAEGER_TAGS=k=j", "OTEL_RESOURCE_ATTRIBUTES=k=o",
		"JAEGER_ENDPOINT=http://j/api/traces", "OTEL_TRACES_EXPORTER=console", "JAEGER_DISABLED=false", "OTEL_SDK_DISABLED=true"}
	otelOnly := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return strings.HasPrefix(s, "JAEGER") })
	code := Config{
		Service: "c", Queue: Queue{Size: 30}, Sampler: Ratio(0.5), Propagation: propagation(0), Tags: map[string]any{"k": "c"}, Disabled: true,
		Exporters: []Exporter{{Name: "mine"}},
	}
	want := []struct{ setting, code, jaeger, otel, def string }{
		{"service", "c", "j", "o", "unknown_service:" + filepath.Base(os.Args[0])},
		{"queue.size", "30", "10", "20", "8192"},
		{"sampler", "ratio 0.5", "never", "always", "always"},
		{"propagation.extract", "tracecontext", "jaeger", "b3", "tracecontext,jaeger,b3,b3multi"},
		{"tag.k", "c", "j", "o", ""},
		{"exporter", "mine ", "jaeger/http http://j/api/traces", "console /dev/stdout", "otlp/http http://localhost:4318/v1/traces"},
		{"disabled", "true", "false", "true", "false"},
	}
	for name, at := range map[string]struct {
		cfg   Config
		pairs []string
		pick  func(i int) string
	}{
		"code":    {code, all, func(i int) string { return want[i].code }},
		"jaeger":  {Config{}, all, func(i int) string { return want[i].jaeger }},
		"otel":    {Config{}, otelOnly, func(i int) string { return want[i].otel }},
		"default": {Config{}, nil, func(i int) string { return want[i].def }},
	} {
		_, r := resolveEnv(t, at.cfg, at.pairs...)
		for i, w := range want {
			got := find(r, w.setting)
			switch {
			case at.pick(i) == "" && got == nil:
			case len(got) != 1 || got[0].Value != at.pick(i):
				t.Errorf("%s: %s is %v, want %q", name, w.setting, got, at.pick(i))
			}
		}
		if warned := len(r.warnings); name == "jaeger" && warned != len(want) || name != "jaeger" && warned != 0 {
			t.Errorf("%s: %d warnings: %v", name, warned, r.warnings)
		}
	}
}

func TestConflictsAreToldOnceWithoutValues(t *testing.T) {
	var log logBuffer
	start(t, Config{
		Logger: log.logger(), LookupEnv: env("JAEGER_SERVICE_NAME=one", "OTEL_SERVICE_NAME=two", "OTEL_TRACES_EXPORTER=none", "JAEGER_TAGS=a=1,b=1", "OTEL_RESOURCE_ATTRIBUTES=a=2,b=2"),
	})
	for _, variable := range []string{"OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"} {
		if n := strings.Count(log.String(), "ignored="+variable); n != 1 {
			t.Errorf("%s: %d warnings:\n%s", variable, n, log.String())
		}
	}
	log.buf.Reset()
	start(t, Config{Logger: log.logger(), LookupEnv: env("JAEGER_SERVICE_NAME=one", "OTEL_SERVICE_NAME=one", "OTEL_TRACES_EXPORTER=none")})
	if log.String() != "" {
		t.Errorf("the same value twice is no conflict: %s", log.String())
	}
}

func TestJaegerTagsAnyTextIsSafe(t *testing.T) {
	for raw, want := range map[string]map[string]string{
		"a=b,":               {"a": "b"},
		",a=b":               {"a": "b"},
		"k=${X}":             {"k": "set"},
		"k=${Y}":             {"k": ""},
		"k=${Y:other:value}": {"k": "other:value"},
		"k=${X:other}":       {"k": "set"},
		"k=${X":              {"k": "${X"},
		"k=a=b":              {"k": "a=b"},
		"a":                  nil,
		"=b":                 nil,
		"a=b,c":              nil,
	} {
		r := &resolver{lookup: env("JAEGER_TAGS="+raw, "X=set")}
		got := r.jaegerTags()
		if want == nil {
			if err := r.err(); err == nil || !strings.Contains(err.Error(), "JAEGER_TAGS") {
				t.Errorf("%q: %v", raw, err)
			}
			continue
		}
		if diff := gocmp.Diff(want, got); diff != "" || r.err() != nil {
			t.Errorf("%q (-want +got), %v:\n%s", raw, r.err(), diff)
		}
	}
	_, err := Start(local(Config{LookupEnv: env("JAEGER_TAGS=token=hush-hush,more")}))
	if err == nil || strings.Contains(err.Error(), "hush-hush") {
		t.Errorf("a list with a token: %v", err)
	}
}

func TestSamplersOfTheEnvironment(t *testing.T) {
	for pairs, want := range map[string]string{
		"":                          "always",
		"JAEGER_SAMPLER_TYPE=const": "always",
		"JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=1":                                            "always",
		"JAEGER_SAMPLER_TYPE=ratelimiting JAEGER_SAMPLER_PARAM=2.5":                                   "at most 2.5/s",
		"JAEGER_SAMPLER_TYPE=remote":                                                                  "remote http://localhost:5778/sampling",
		"JAEGER_SAMPLER_PARAM=0.1":                                                                    "remote http://localhost:5778/sampling",
		"JAEGER_SAMPLER_TYPE=remote JAEGER_AGENT_HOST=::1":                                            "remote http://[::1]:5778/sampling",
		"JAEGER_SAMPLER_TYPE=remote JAEGER_AGENT_HOST=fe80::1%lo":                                     "remote http://[fe80::1%lo]:5778/sampling",
		"JAEGER_AGENT_HOST=agent":                                                                     "always",
		"JAEGER_SAMPLER_TYPE=probabilistic":                                                           "error: JAEGER_SAMPLER_PARAM",
		"JAEGER_SAMPLER_TYPE=const JAEGER_SAMPLER_PARAM=0.5":                                          "error: 0 for never or 1 for always",
		"JAEGER_SAMPLER_TYPE=ratelimiting JAEGER_SAMPLER_PARAM=-1":                                    "error: 0 or more",
		"OTEL_TRACES_SAMPLER=always_on":                                                               "always",
		"OTEL_TRACES_SAMPLER=always_off":                                                              "never",
		"OTEL_TRACES_SAMPLER=parentbased_always_on":                                                   "always",
		"OTEL_TRACES_SAMPLER=parentbased_traceidratio":                                                "ratio 1",
		"OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=0":                                  "ratio 0",
		"OTEL_TRACES_SAMPLER=jaeger_remote":                                                           "remote http://localhost:5778/sampling",
		"OTEL_TRACES_SAMPLER=jaeger_remote OTEL_TRACES_SAMPLER_ARG=endpoint=x":                        "remote http://x/sampling",
		"OTEL_TRACES_SAMPLER=jaeger_remote OTEL_TRACES_SAMPLER_ARG=0.25":                              "error: initialSamplingRate",
		"OTEL_TRACES_SAMPLER=parentbased_jaeger_remote OTEL_TRACES_SAMPLER_ARG=initialSamplingRate=7": "error: from 0 to 1",
	} {
		_, r := resolveEnv(t, Config{}, strings.Fields(pairs)...)
		got := find(r, "sampler")[0].Value
		if part, isError := strings.CutPrefix(want, "error: "); isError {
			if err := r.err(); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v, want %s", pairs, err, part)
			}
		} else if got != want || r.err() != nil {
			t.Errorf("%s: %s, %v; want %s", pairs, got, r.err(), want)
		}
		if warned, plain := len(r.warnings) > 0, strings.Contains(pairs, "SAMPLER=always") || strings.Contains(pairs, "SAMPLER=traceid") || strings.Contains(pairs, "SAMPLER=jaeger"); warned != plain {
			t.Errorf("%s: warnings %v", pairs, r.warnings)
		}
	}
	out, r := resolveEnv(t, Config{}, "OTEL_TRACES_SAMPLER=parentbased_jaeger_remote",
		"OTEL_TRACES_SAMPLER_ARG=endpoint=http://s:5778/adapt_secret-1/api/sampling, pollingIntervalMs=5000,initialSamplingRate=0.25")
	if o := out.sampler.remote; out.sampler.url != "http://s:5778/adapt_secret-1/api/sampling" || o.Interval.Seconds() != 5 || o.Initial != Ratio(0.25) {
		t.Errorf("%v %+v", out.sampler.url, o)
	}
	if shown := fmt.Sprint(r.settings, out.sampler, r.err()); strings.Contains(shown, "secret-1") {
		t.Errorf("a token is shown: %s", shown)
	}
}

func TestExportersOfTheEnvironment(t *testing.T) {
	const otlp, jaegerHTTP = "otlp/http http://localhost:4318/v1/traces", "jaeger/http http://j:14268/api/traces"
	for pairs, want := range map[string]string{
		"":                                       otlp,
		"OTEL_TRACES_EXPORTER=none":              "",
		"OTEL_TRACES_EXPORTER=otlp":              otlp,
		"OTEL_TRACES_EXPORTER=otlp,console,otlp": otlp + "; console /dev/stdout",
		"OTEL_TRACES_EXPORTER=jaeger":            "jaeger/http http://localhost:14268/api/traces",
		"OTEL_TRACES_EXPORTER=jaeger JAEGER_AGENT_PORT=1":                                        "jaeger/udp localhost:1",
		"OTEL_TRACES_EXPORTER=otlp,jaeger JAEGER_ENDPOINT=http://j:14268/api/traces":             otlp + "; " + jaegerHTTP,
		"JAEGER_ENDPOINT=http://j:14268/api/traces JAEGER_AGENT_HOST=a":                          jaegerHTTP,
		"OTEL_TRACES_EXPORTER=none,otlp":                                                         "error: none",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/base/":                                        "otlp/http http://c:4318/***",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_TRACES_EXPORTER=console":                          "console /dev/stdout",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json":                                                  "error: OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf": otlp,
		"OTEL_EXPORTER_OTLP_PROTOCOL=junk OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf":      "error: OTEL_EXPORTER_OTLP_PROTOCOL",
	} {
		out, r := resolveEnv(t, Config{}, strings.Fields(pairs)...)
		var got []string
		for _, e := range out.exporters {
			got = append(got, e.Name+" "+e.Endpoint)
		}
		if part, isError := strings.CutPrefix(want, "error: "); isError {
			if err := r.err(); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %v, want %s", pairs, err, part)
			}
		} else if strings.Join(got, "; ") != want || r.err() != nil || len(r.warnings) > 0 {
			t.Errorf("%s: %q, %v, %v; want %q", pairs, got, r.err(), r.warnings, want)
		}
	}
	out, _ := resolveEnv(t, Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	if len(out.exporters) != 0 {
		t.Errorf("with a reporter and nothing else there is an exporter: %v", out.exporters)
	}
	out, _ = resolveEnv(t, Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}}, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c")
	if len(out.exporters) != 1 {
		t.Errorf("with a reporter the environment's exporter is gone: %v", out.exporters)
	}
}

func TestGRPCWithoutItsPackageNamesTheImport(t *testing.T) {
	_, err := Start(local(Config{LookupEnv: env("OTEL_EXPORTER_OTLP_PROTOCOL=grpc")}))
	if err == nil || !strings.Contains(err.Error(), "github.com/spanloom/spanloom/tracerinit/otlpgrpc") {
		t.Errorf("%v", err)
	}
	_, r := resolveEnv(t, Config{Exporters: []Exporter{{Name: "mine"}}}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	if r.err() != nil {
		t.Errorf("an error though code chose another exporter: %v", r.err())
	}
}

func TestPropagatorsOfTheEnvironment(t *testing.T) {
	for pairs, want := range map[string]string{
		"":                              "tracecontext,jaeger,b3,b3multi tracecontext,jaeger as the formats",
		"OTEL_PROPAGATORS=tracecontext": "tracecontext tracecontext none",
		"OTEL_PROPAGATORS=tracecontext,baggage,xray": "tracecontext tracecontext w3c",
		"OTEL_PROPAGATORS=jaeger,baggage":            "jaeger jaeger w3c,jaeger",
		"OTEL_PROPAGATORS=none":                      "none none none",
		"OTEL_PROPAGATORS=ottrace":                   "none none none",
		"JAEGER_PROPAGATION=jaeger,b3,w3c":           "jaeger,b3,tracecontext jaeger,b3,tracecontext as the formats",
	} {
		_, r := resolveEnv(t, Config{}, strings.Fields(pairs)...)
		var got []string
		for _, name := range []string{"extract", "inject", "baggage"} {
			got = append(got, find(r, "propagation."+name)[0].Value)
		}
		if strings.Join(got, " ") != want || r.err() != nil {
			t.Errorf("%s: %q, %v; want %q", pairs, got, r.err(), want)
		}
		if unknown := strings.Contains(pairs, "xray") || strings.Contains(pairs, "ottrace"); unknown != (len(r.warnings) == 1) {
			t.Errorf("%s: %v", pairs, r.warnings)
		}
	}
}

func FuzzEnv(f *testing.F) {
	for _, v := range variables {
		f.Add(v.name, v.value, "JAEGER_SAMPLER_TYPE", "remote")
		f.Add(v.name, v.wrong, "OTEL_TRACES_SAMPLER", "jaeger_remote")
	}
	f.Add("JAEGER_TAGS", "ip=5,a,${X},=,%zz", "OTEL_RESOURCE_ATTRIBUTES", "%zz=1,a=%2")
	f.Fuzz(func(t *testing.T, name, value, name2, value2 string) {
		if strings.Contains(name+name2, "CERTIFICATE") || strings.Contains(name+name2, "CLIENT_KEY") {
			return // they name files
		}
		cfg := local(Config{LookupEnv: env(name+"="+value, name2+"="+value2, "JAEGER_DISABLED=true")})
		tracer, err := Start(cfg)
		if err != nil {
			return
		}
		defer shutdown(t, tracer, 0)
		for _, s := range tracer.Settings() {
			if s.Name == "" || s.Source == "" {
				t.Errorf("%+v", s)
			}
		}
		if s := fmt.Sprint(tracer.Settings()); len(value) > 8 && strings.HasPrefix(name, "JAEGER_PASS") && strings.Contains(s, value) {
			t.Errorf("a secret is shown: %s", s)
		}
	})
}

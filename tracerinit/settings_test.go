package tracerinit_test

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

func propagation(f carrier.Format) carrier.Config {
	return carrier.Config{Extract: []carrier.Format{f}, Inject: []carrier.Format{f}}
}

// ours hides what differs from machine to machine.
var ours = regexp.MustCompile(
	`(?m)^(tag\.(host\.name|hostname|process\.pid|service\.instance\.id|telemetry\.sdk\.version)|service)` +
		` = .* \(default\)$`,
)

func listing(settings []tracerinit.Setting) string {
	var out []string
	for _, s := range settings {
		out = append(out, s.String())
	}
	return ours.ReplaceAllString(strings.Join(out, "\n")+"\n", "$1 = … (default)")
}

func TestSettingsByDefault(t *testing.T) {
	r := resolve(tracerinit.Config{})
	const want = `service = … (default)
tag.host.name = … (default)
tag.hostname = … (default)
tag.process.pid = … (default)
tag.service.instance.id = … (default)
tag.telemetry.sdk.language = go (default)
tag.telemetry.sdk.name = spanloom (default)
tag.telemetry.sdk.version = … (default)
disabled = false (default)
sampler = always (default)
propagation.extract = tracecontext,jaeger,b3,b3multi (default)
propagation.inject = tracecontext,jaeger (default)
propagation.baggage = as the formats (default)
propagation.debug = ignore (default)
exporter = otlp/http http://localhost:4318/v1/traces (default)
log_spans = false (default)
queue.size = 8192 (default)
queue.batch = 512 (default)
queue.bytes = 67108864 (default)
queue.interval = 1s (default)
queue.timeout = 10s (default)
queue.overflow = drop-newest (default)
limits.tags = 128 (default)
limits.logs = 128 (default)
limits.fields = 128 (default)
limits.value_bytes = 16384 (default)
shutdown.timeout = 5s (default)
trace_id.128bit = true (default)
`
	if diff := cmp.Diff(want, listing(r.Settings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const settingsOfAShop = `service = shop (JAEGER_SERVICE_NAME)
tag.service.version = 1.2 (code)
tag.deployment.environment = test (code)
tag.api_key = *** (OTEL_RESOURCE_ATTRIBUTES)
tag.host.name = h (code)
tag.hostname = h (code)
tag.process.pid = 1 (code)
tag.region = eu (OTEL_RESOURCE_ATTRIBUTES)
tag.service.instance.id = i (code)
tag.shard = 7 (code)
tag.telemetry.sdk.language = go (default)
tag.telemetry.sdk.name = spanloom (default)
tag.telemetry.sdk.version = … (default)
tag.token = *** (code)
disabled = false (default)
sampler = remote http://vendor/*** (code)
sampler.endpoint = http://vendor/*** (code)
sampler.initial = ratio 0.001 (default)
sampler.interval = 9s (JAEGER_SAMPLER_REFRESH_INTERVAL)
sampler.max_operations = 3 (code)
propagation.extract = b3 (OTEL_PROPAGATORS)
propagation.inject = b3 (OTEL_PROPAGATORS)
propagation.baggage = none (OTEL_PROPAGATORS)
propagation.debug = allow (code)
exporter = otlp/http http://vendor/*** (code)
exporter = jaeger/http http://vendor/api/traces?*** (code)
exporter = jaeger/udp localhost:6831 (code)
log_spans = false (default)
queue.size = 8192 (default)
queue.batch = 512 (default)
queue.bytes = 67108864 (default)
queue.interval = 1m0s (code)
queue.timeout = 10s (default)
queue.overflow = block (code)
limits.tags = none (code)
limits.logs = 128 (default)
limits.fields = 128 (default)
limits.value_bytes = 16384 (default)
shutdown.timeout = 5s (default)
trace_id.128bit = true (default)
`

func TestSettingsHaveSourcesAndNoSecrets(t *testing.T) {
	cfg := tracerinit.Config{
		Propagation: carrier.Config{Debug: carrier.AllowDebug()},
		Version:     "1.2", Environment: "test", Tags: map[string]any{
			"shard": 7, "token": "secret-1", "hostname": "h", "host.name": "h", "service.instance.id": "i",
			"process.pid": 1,
		},
		Exporters: []tracerinit.Exporter{
			tracerinit.OTLPHTTP("http://vendor/adapt_secret-1/api/otlp/traces", tracerinit.WithHeaders(map[string]string{"a": "secret-1"})),
			tracerinit.JaegerHTTP("http://u:secret-1@vendor/api/traces?t=secret-1", tracerinit.WithBearerToken("secret-1")), tracerinit.JaegerUDP(
				"localhost:6831",
			),
		},
		Queue: tracerinit.Queue{Overflow: tracerinit.Block, Interval: time.Minute}, Limits: tracerinit.Limits{Tags: -1},
		Sampler: tracerinit.Remote("http://vendor/adapt_secret-1/api/sampling", tracerinit.RemoteOptions{MaxOperations: 3}),
	}
	r := resolve(cfg, "JAEGER_SERVICE_NAME=shop", "JAEGER_SAMPLER_REFRESH_INTERVAL=9s",
		"OTEL_RESOURCE_ATTRIBUTES=region=eu,api_key=secret-1", "OTEL_PROPAGATORS=b3", "JAEGER_PASSWORD=secret-1",
	)
	if diff := cmp.Diff(settingsOfAShop, listing(r.Settings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestABatchIsNoLargerThanTheQueue(t *testing.T) {
	for _, pairs := range [][]string{{"OTEL_BSP_MAX_QUEUE_SIZE=100"},
		{"OTEL_BSP_MAX_QUEUE_SIZE=100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=200"}} {
		t.Run(fmt.Sprint(pairs), func(t *testing.T) {
			r := resolve(tracerinit.Config{}, pairs...)
			if got := find(r.Settings, "queue.batch"); len(got) != 1 || got[0].Value != "100" {
				t.Errorf("%s: %v", pairs, got)
			}
		})
	}
}

func TestProcessTagsReachTheSpansProcess(t *testing.T) {
	o := &own{}
	start(t, tracerinit.Config{
		Exporters: []tracerinit.Exporter{o},
		Service:   "shop", Version: "1.2", Environment: "test",
		Tags: map[string]any{"shard": 7, "ip": 12, "nothing": nil, "odd": struct{ A int }{1}, "f": 0.5, "b": true},
	})
	got := map[string]any{}
	for _, tag := range o.process.Tags {
		if _, twice := got[tag.Key]; twice {
			t.Errorf("%s is there twice", tag.Key)
		}
		got[tag.Key] = tag.Value
	}
	for key, want := range map[string]any{
		"service.version": "1.2", "deployment.environment": "test", "deployment.environment.name": "test",
		"shard": int64(7), "ip": "12", "odd": "{1}", "f": 0.5, "b": true, "process.pid": int64(os.Getpid()),
		"telemetry.sdk.name": "spanloom",
	} {
		t.Run(key, func(t *testing.T) {
			if got[key] != want {
				t.Errorf("%T %v, want %T %v", got[key], got[key], want, want)
			}
		})
	}
	if _, ok := got["nothing"]; ok {
		t.Error("a tag without a value is there")
	}
	for _, key := range []string{"hostname", "host.name", "service.instance.id"} {
		t.Run(key, func(t *testing.T) {
			if s, isString := got[key].(string); !isString || s == "" {
				t.Errorf("%v", got[key])
			}
		})
	}
}

func TestSettingsHaveTheExportersOfTheEnvironment(t *testing.T) {
	for pairs, want := range map[string]string{
		"JAEGER_ENDPOINT=http://j JAEGER_USER=u JAEGER_PASSWORD=secret-1": "" +
			`exporter = jaeger/http http://j/api/traces (JAEGER_ENDPOINT)
exporter.user = u (JAEGER_USER)
exporter.password = *** (JAEGER_PASSWORD)
`,
		"JAEGER_ENDPOINT=http://j JAEGER_AUTH_TOKEN=secret-1": "" +
			`exporter = jaeger/http http://j/api/traces (JAEGER_ENDPOINT)
exporter.token = *** (JAEGER_AUTH_TOKEN)
`,
		"OTEL_EXPORTER_OTLP_HEADERS=Authentication=secret-1 OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=250 " +
			"OTEL_EXPORTER_OTLP_TIMEOUT=500 OTEL_EXPORTER_OTLP_COMPRESSION=none": "" +
			`exporter = otlp/http http://localhost:4318/v1/traces (default)
exporter.timeout = 250ms (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, overrides OTEL_EXPORTER_OTLP_TIMEOUT)
exporter.compression = none (OTEL_EXPORTER_OTLP_COMPRESSION)
exporter.header.Authentication = *** (OTEL_EXPORTER_OTLP_HEADERS)
`,
	} {
		t.Run(pairs, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, strings.Fields(pairs)...)
			var got []tracerinit.Setting
			for _, s := range r.Settings {
				if strings.HasPrefix(s.Name, "exporter") {
					got = append(got, s)
				}
			}
			if diff := cmp.Diff(want, listing(got)); diff != "" || r.Err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", pairs, r.Err, diff)
			}
		})
	}
}

// TestSettingsNameWhatCodeOverrides sets everything twice, to different values.
func TestSettingsNameWhatCodeOverrides(t *testing.T) {
	cfg := tracerinit.Config{
		Service: "c", Queue: tracerinit.Queue{Size: 30, Interval: time.Hour}, Sampler: tracerinit.Ratio(0.5), Propagation: propagation(0),
		Tags: map[string]any{"k": "c"}, Disabled: true, Exporters: []tracerinit.Exporter{tracerinit.Console(io.Discard)}, TraceID64: true,
	}
	r := resolve(cfg, "JAEGER_SERVICE_NAME=j", "OTEL_SERVICE_NAME=o", "JAEGER_REPORTER_MAX_QUEUE_SIZE=10",
		"OTEL_BSP_MAX_QUEUE_SIZE=30", "OTEL_BSP_SCHEDULE_DELAY=5", "JAEGER_SAMPLER_TYPE=const",
		"OTEL_TRACES_SAMPLER=always_on",
		"JAEGER_PROPAGATION=jaeger", "OTEL_PROPAGATORS=b3", "JAEGER_TAGS=k=j", "OTEL_RESOURCE_ATTRIBUTES=k=o",
		"JAEGER_ENDPOINT=http://j", "OTEL_TRACES_EXPORTER=otlp", "JAEGER_DISABLED=false", "JAEGER_TRACEID_128BIT=true")
	for name, want := range map[string]string{
		"service":             "c (code, overrides JAEGER_SERVICE_NAME, OTEL_SERVICE_NAME)",
		"queue.size":          "30 (code, overrides JAEGER_REPORTER_MAX_QUEUE_SIZE)", // the other says the same
		"queue.interval":      "1h0m0s (code, overrides OTEL_BSP_SCHEDULE_DELAY)",
		"sampler":             "ratio 0.5 (code, overrides JAEGER_SAMPLER_TYPE, OTEL_TRACES_SAMPLER)",
		"propagation.extract": "tracecontext (code, overrides JAEGER_PROPAGATION, OTEL_PROPAGATORS)",
		"tag.k":               "c (code, overrides JAEGER_TAGS, OTEL_RESOURCE_ATTRIBUTES)",
		"exporter":            "console writer (code, overrides JAEGER_ENDPOINT, OTEL_TRACES_EXPORTER)",
		"disabled":            "true (code, overrides JAEGER_DISABLED)",
		"trace_id.128bit":     "false (code, overrides JAEGER_TRACEID_128BIT)",
	} {
		t.Run(name, func(t *testing.T) {
			if got := find(r.Settings, name); len(got) != 1 || got[0].String() != name+" = "+want {
				t.Errorf("%v, want %s", got, want)
			}
		})
	}
	r = resolve(tracerinit.Config{}, "OTEL_TRACES_EXPORTER=otlp", "JAEGER_AGENT_HOST=a")
	if got := find(r.Settings, "exporter"); got[0].Overrides != "JAEGER_AGENT_HOST" || got[0].Source != "OTEL_TRACES_EXPORTER" {
		t.Errorf("%v", got)
	}
}

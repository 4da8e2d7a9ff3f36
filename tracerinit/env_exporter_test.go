package tracerinit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// TestExportersOfTheEnvironment has a row for each choice: the exporters that come of it, and how many warnings.
func TestExportersOfTheEnvironment(t *testing.T) {
	const otlp, jaegerHTTP = "otlp/http http://localhost:4318/v1/traces", "jaeger/http http://j:14268/api/traces"
	const local14268 = "jaeger/http http://localhost:14268/api/traces"
	for _, c := range []struct {
		pairs, want string
		warnings    int
	}{
		{"", otlp, 0},
		{"OTEL_TRACES_EXPORTER=none", "", 0},
		{"OTEL_TRACES_EXPORTER=otlp", otlp, 0},
		{"OTEL_TRACES_EXPORTER=OTLP,console,otlp", otlp + "; console /dev/stdout", 0},
		{"OTEL_TRACES_EXPORTER=none,otlp", "error: none", 0},
		{"OTEL_TRACES_EXPORTER=zipkin", "error: OTEL_TRACES_EXPORTER", 0},
		{"JAEGER_ENDPOINT=http://j:14268/api/traces JAEGER_AGENT_HOST=a", jaegerHTTP, 0},
		{"JAEGER_ENDPOINT=http://j:14268/api/traces JAEGER_AGENT_PORT=x", jaegerHTTP, 1},
		{"JAEGER_AGENT_HOST=a OTEL_EXPORTER_OTLP_TIMEOUT=soon", "jaeger/udp a:6831", 1},

		{"OTEL_TRACES_EXPORTER=jaeger", local14268, 0},
		{"OTEL_TRACES_EXPORTER=jaeger JAEGER_AGENT_PORT=1", "jaeger/udp localhost:1", 0},
		{"OTEL_TRACES_EXPORTER=otlp,jaeger JAEGER_ENDPOINT=http://j:14268/api/traces", otlp + "; " + jaegerHTTP, 0},
		{"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_ENDPOINT=http://j:14268/api/traces", jaegerHTTP, 0},
		{
			"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_PROTOCOL=udp/thrift.compact " +
				"OTEL_EXPORTER_JAEGER_ENDPOINT=http://j",
			"jaeger/udp localhost:6831", 0,
		},
		{
			"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_PROTOCOL=http/thrift.binary " +
				"OTEL_EXPORTER_JAEGER_AGENT_HOST=a:1",
			local14268, 1,
		},
		{"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_PROTOCOL=grpc", "error: 14268", 0},
		{
			"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_ENDPOINT=http://x " +
				"JAEGER_ENDPOINT=http://j:14268/api/traces",
			jaegerHTTP, 1,
		},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OTEL_EXPORTER_OTLP_CERTIFICATE=/none.pem", otlp, 1},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 OTEL_EXPORTER_OTLP_CLIENT_KEY=/none.pem", otlp, 1},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=https://c:4318 OTEL_EXPORTER_OTLP_CERTIFICATE=/none.pem", "error: OTEL_EXPORTER_OTLP_CERTIFICATE", 0},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/a#b", "error: %23", 0},

		{"OTEL_EXPORTER_JAEGER_ENDPOINT=http://j", otlp, 1},
		{"OTEL_EXPORTER_JAEGER_ENDPOINT=wrong OTEL_TRACES_EXPORTER=otlp", otlp, 2},

		{"OTEL_TRACES_EXPORTER=otlp JAEGER_AGENT_HOST=a", otlp, 1},
		{"OTEL_TRACES_EXPORTER=otlp JAEGER_AGENT_HOST=a:6831", otlp, 1},
		{"OTEL_TRACES_EXPORTER=none JAEGER_AGENT_HOST=a JAEGER_AGENT_PORT=6831", "", 2},
		{"OTEL_TRACES_EXPORTER=otlp JAEGER_ENDPOINT=http://j:14268/api/traces", jaegerHTTP, 1},
		{"JAEGER_AGENT_HOST=a OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "jaeger/udp a:6831", 1},

		{"JAEGER_AGENT_PORT=6832", "jaeger/udp localhost:6832", 1},
		{"OTEL_TRACES_EXPORTER=none JAEGER_AGENT_PORT=6832", "", 1},
		{"JAEGER_AGENT_PORT=udp://10.0.0.7:5775", otlp, 1},
		{"JAEGER_AGENT_PORT=tcp://10.0.0.7:5775 JAEGER_AGENT_HOST=a", "jaeger/udp a:6831", 1},
		{"OTEL_TRACES_EXPORTER=jaeger OTEL_EXPORTER_JAEGER_AGENT_PORT=UDP://10.0.0.7:5775", local14268, 1},
		{"JAEGER_AGENT_PORT=udp://a/secret", "error: JAEGER_AGENT_PORT", 0},

		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/base/", "otlp/http http://c:4318/***", 0},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_TRACES_EXPORTER=console", "console /dev/stdout", 0},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "error: OTEL_EXPORTER_OTLP_PROTOCOL", 0},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=http/json OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf", otlp, 0},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=junk OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf", otlp, 1},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=unix:///run/otel.sock", "error: OTEL_EXPORTER_OTLP_PROTOCOL=grpc", 0},
		{"OTEL_EXPORTER_OTLP_INSECURE=1 OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=0", otlp, 1},
		{
			"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_CERTIFICATE=/no/such " +
				"OTEL_EXPORTER_OTLP_HEADERS=x OTEL_BSP_MAX_QUEUE_SIZE=-1",
			"", 2,
		},
	} {
		t.Run("environment "+c.pairs, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, strings.Fields(c.pairs)...)
			got := valuesOf(r.Settings, "exporter")
			if part, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err := r.Err; err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want %s", err, part)
				}
			} else if strings.Join(got, "; ") != c.want || r.Err != nil || len(r.Warnings) != c.warnings {
				t.Errorf("%q, %v, %v; want %q and %d warnings", got, r.Err, r.Warnings, c.want, c.warnings)
			}
		})
	}
}

func TestReportersNeedNoExporter(t *testing.T) {
	for pairs, want := range map[string]int{"": 0, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c": 1,
		"OTEL_EXPORTER_OTLP_HEADERS=wrong": 0} {
		t.Run("environment "+pairs, func(t *testing.T) {
			r := resolve(tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}}, pairs)
			if got := valuesOf(r.Settings, "exporter"); len(got) != want || r.Err != nil {
				t.Errorf("exporters %q, %v", got, r.Err)
			}
		})
	}
}

func TestWhatCodeDoesNotUseIsNoError(t *testing.T) {
	code := tracerinit.Config{
		Exporters: []tracerinit.Exporter{tracerinit.Console(io.Discard)}, Sampler: tracerinit.Always(), Queue: tracerinit.Queue{
			Size: 1, Batch: 1, Interval: 1, Timeout: 1,
		},
		Limits: tracerinit.Limits{Tags: 1, Logs: 1, Fields: 1, ValueBytes: 1}, Propagation: propagation(0), TraceID64: true,
	}
	needed := []string{"JAEGER_DISABLED", "JAEGER_TAGS", "OTEL_RESOURCE_ATTRIBUTES", "JAEGER_REPORTER_LOG_SPANS"}
	for _, v := range variables {
		if v.wrong == "" || slices.Contains(needed, v.name) {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			r := resolve(code, v.name+"="+v.wrong)
			files := strings.Contains(v.name, "CERTIFICATE") || strings.Contains(v.name, "CLIENT_KEY") ||
				v.name == tracerinit.OTelSamplerArg ||
				v.name == tracerinit.JaegerSamplerParam || strings.Contains(v.wrong, "http/json")
			if r.Err != nil || len(r.Warnings) != 1 && !files {
				t.Errorf("%v, warnings %v", r.Err, r.Warnings)
			}
		})
	}
}

func TestZerosMeanWhatTheirFamilySays(t *testing.T) {
	for pair, want := range map[string]tracerinit.Setting{
		"OTEL_BSP_EXPORT_TIMEOUT=0": {
			Name: "queue.timeout", Value: "none", Source: "OTEL_BSP_EXPORT_TIMEOUT",
		},
		"OTEL_EXPORTER_OTLP_TIMEOUT=0": {
			Name: "exporter.timeout", Value: "none", Source: "OTEL_EXPORTER_OTLP_TIMEOUT",
		},
		"OTEL_BSP_SCHEDULE_DELAY=0": {
			Name: "queue.interval", Value: "0s", Source: "OTEL_BSP_SCHEDULE_DELAY",
		},
		"OTEL_BSP_MAX_QUEUE_SIZE=0": {
			Name: "queue.size", Value: "8192", Source: "default",
		},
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=0": {
			Name: "queue.batch", Value: "512", Source: "default",
		},
		"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=0": {
			Name: "limits.tags", Value: "0", Source: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
		},
		"OTEL_SPAN_EVENT_COUNT_LIMIT=0": {
			Name: "limits.logs", Value: "0", Source: "OTEL_SPAN_EVENT_COUNT_LIMIT",
		},
		"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=0": {
			Name: "limits.value_bytes", Value: "1", Source: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
		},
		"JAEGER_REPORTER_MAX_QUEUE_SIZE=0": {
			Name: "queue.size", Value: "8192", Source: "default",
		},
		"JAEGER_REPORTER_FLUSH_INTERVAL=0s": {
			Name: "queue.interval", Value: "1s", Source: "default",
		},
		"JAEGER_SAMPLER_PARAM=0 JAEGER_SAMPLER_TYPE=remote": {
			Name: "sampler.initial", Value: "ratio 0", Source: "JAEGER_SAMPLER_TYPE",
		},
		"JAEGER_SAMPLER_MAX_OPERATIONS=0 JAEGER_SAMPLER_TYPE=remote": {
			Name: "sampler.max_operations", Value: "2000", Source: "default",
		},
		"JAEGER_SAMPLER_REFRESH_INTERVAL=0s JAEGER_SAMPLER_TYPE=remote": {
			Name: "sampler.interval", Value: "1m0s", Source: "default",
		},
	} {
		t.Run(pair, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, strings.Fields(pair)...)
			if diff := gocmp.Diff([]tracerinit.Setting{want}, find(r.Settings, want.Name)); diff != "" || r.Err != nil {
				t.Errorf("%v, (-want +got):\n%s", r.Err, diff)
			}
		})
	}
}

func TestAnExportersTimeoutOfTheEnvironmentEndsEachAttempt(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	tracer := start(t, tracerinit.Config{LookupEnv: env(
		"OTEL_EXPORTER_OTLP_ENDPOINT="+silent.URL, "OTEL_EXPORTER_OTLP_TIMEOUT=20", "OTEL_BSP_EXPORT_TIMEOUT=0",
		"OTEL_BSP_SCHEDULE_DELAY=1",
	)})
	tracer.StartSpan("x").Finish()
	eventually(t, "two attempts end", func() bool { return tracer.Stats().Exporters[0].Failures >= 2 })
}

func TestGRPCWithoutItsPackageNamesTheImport(t *testing.T) {
	_, err := tracerinit.Start(local(tracerinit.Config{LookupEnv: env("OTEL_EXPORTER_OTLP_PROTOCOL=grpc")}))
	if err == nil || !strings.Contains(err.Error(), "github.com/spanloom/spanloom/tracerinit/otlpgrpc") {
		t.Errorf("%v", err)
	}
	r := resolve(tracerinit.Config{Exporters: []tracerinit.Exporter{misconfigured{}}}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	if r.Err != nil {
		t.Errorf("an error though code chose another exporter: %v", r.Err)
	}
}

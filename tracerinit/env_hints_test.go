package tracerinit_test

import (
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/tracerinit"
)

// TestErrorsSayWhatToWrite has values that were meant well, and what the error or the warning has to say.
func TestErrorsSayWhatToWrite(t *testing.T) {
	const quotes, reference = "quotation marks", "was not replaced"
	for pair, want := range map[string]string{
		`OTEL_EXPORTER_OTLP_ENDPOINT="http://c:4318"`:                  quotes,
		`JAEGER_ENDPOINT='http://c:14268'`:                             quotes,
		`OTEL_SERVICE_NAME="shop"`:                                     quotes,
		`OTEL_TRACES_EXPORTER="otlp"`:                                  quotes,
		`OTEL_RESOURCE_ATTRIBUTES="a=b"`:                               quotes,
		`JAEGER_AGENT_HOST="agent"`:                                    quotes,
		`OTEL_EXPORTER_OTLP_HEADERS="a=b"`:                             quotes,
		`OTEL_SDK_DISABLED="true"`:                                     "neither true nor false",
		`OTEL_EXPORTER_OTLP_ENDPOINT=http://$(HOST_IP):4318`:           "it holds $(HOST_IP), which " + reference,
		`OTEL_EXPORTER_OTLP_ENDPOINT=http://${HOST_IP}:4318`:           reference,
		`JAEGER_AGENT_HOST=${HOST_IP}`:                                 "it holds ${HOST_IP}, which " + reference,
		`JAEGER_AGENT_HOST=$HOST_IP`:                                   reference,
		`JAEGER_SERVICE_NAME={{ .Release.Name }}`:                      reference,
		`OTEL_RESOURCE_ATTRIBUTES=host.ip=$(HOST_IP)`:                  reference,
		`JAEGER_SAMPLING_ENDPOINT=http://$(HOST_IP):5778/sampling`:     reference,
		`OTEL_EXPORTER_OTLP_ENDPOINT=http://$HOST_IP:4318`:             reference,
		`JAEGER_ENDPOINT=http://%HOST%/api/traces`:                     reference,
		`JAEGER_TAGS=ip=$(HOST_IP)`:                                    reference,
		`OTEL_EXPORTER_OTLP_HEADERS=api-key="abc",x=y`:                 quotes,
		`OTEL_RESOURCE_ATTRIBUTES=x=y, a='b c'`:                        quotes,
		`JAEGER_TAGS=a=b${X}`:                                          reference,
		`JAEGER_TAGS=a="b"`:                                            quotes,
		`OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317`:                   "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		`JAEGER_ENDPOINT=jaeger:14268`:                                 "http://localhost:14268/api/traces",
		`OTEL_EXPORTER_OTLP_ENDPOINT=http://2001:db8::1:4318`:          "http://[2001:db8::1]:4318",
		`OTEL_EXPORTER_OTLP_ENDPOINT=http://::1`:                       "http://[2001:db8::1]:4318",
		`JAEGER_ENDPOINT=http://fe80::1%25eth0:14268/api/traces`:       "http://[2001:db8::1]:4318",
		`JAEGER_SAMPLING_ENDPOINT=http://2001:db8::1:5778/sampling`:    "http://[2001:db8::1]:4318",
		`JAEGER_AGENT_HOST=2001:db8::1:6831x`:                          "without a port",
		`OTEL_TRACES_SAMPLER_ARG=endpoint=http://jaeger:14250`:         "5778",
		`JAEGER_SAMPLING_ENDPOINT=http://jaeger:5779`:                  "5778",
		`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=unix:///var/run/otel.sock`: "grpc",
	} {
		t.Run(pair, func(t *testing.T) {
			pairs := []string{pair}
			if strings.Contains(pair, "SAMPLER_ARG") {
				pairs = append(pairs, "OTEL_TRACES_SAMPLER=parentbased_jaeger_remote")
			}
			r := resolve(tracerinit.Config{}, pairs...)
			name, _, _ := strings.Cut(pair, "=")
			reported := strings.Join(r.Warnings, "")
			if err := r.Err; err != nil {
				reported += err.Error()
			}
			if !strings.Contains(reported, want) || !strings.Contains(reported, name) {
				t.Errorf("reported %q, want %q", reported, want)
			}
		})
	}
}

func TestGoodValuesGetNoHint(t *testing.T) {
	for _, pair := range []string{
		"JAEGER_TAGS=k=${HOST_IP:none}", "JAEGER_TAGS=k=${HOST_IP},l=${X:}, m = ${Y} ", "OTEL_EXPORTER_OTLP_HEADERS=etag=W/\"1\"",
		"JAEGER_AGENT_HOST=::1", "JAEGER_AGENT_HOST=[::1]",
		"JAEGER_AGENT_HOST=my_agent-1.local.",
		"JAEGER_AGENT_HOST=日本", "OTEL_EXPORTER_OTLP_ENDPOINT=http://[::1]:4318",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://[fe80::1%25lo]:4318",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://my_collector:4318", "OTEL_SERVICE_NAME=it's", "OTEL_SERVICE_NAME=cash$5",
		"OTEL_EXPORTER_OTLP_HEADERS=Authorization=Basic%20dTpw", "OTEL_RESOURCE_ATTRIBUTES=a%20b=c%2Cd",
	} {
		t.Run(pair, func(t *testing.T) {
			if r := resolve(tracerinit.Config{}, pair); r.Err != nil || len(r.Warnings) > 0 {
				t.Errorf("%v, %s", r.Err, strings.Join(r.Warnings, ""))
			}
		})
	}
	r := resolve(tracerinit.Config{}, "OTEL_RESOURCE_ATTRIBUTES=a%20b=c%2Cd")
	if got := find(r.Settings, "tag.a b"); len(got) != 1 || got[0].Value != "c,d" {
		t.Errorf("a percent-encoded key: %v", got)
	}
}

func TestAGlobalTracerOfAnotherPackageIsReplacedWithAWarning(t *testing.T) {
	before := opentracing.GlobalTracer()
	defer opentracing.SetGlobalTracer(before)
	foreign, closer := jaeger.NewTracer("x", jaeger.NewConstSampler(true), jaeger.NewNullReporter())
	defer closer.Close()
	ended := start(t, tracerinit.Config{Reporters: []jaeger.Reporter{jaeger.NewNullReporter()}})
	shutdown(t, ended, 0)
	for name, c := range map[string]struct {
		global opentracing.Tracer
		local  bool
		want   string
	}{
		"jaeger's":           {foreign, false, "*jaeger.Tracer"},
		"jaeger's, local":    {foreign, true, ""},
		"none":               {opentracing.NoopTracer{}, false, ""},
		"ours, shut down":    {ended, false, ""},
		"one that embeds":    {struct{ opentracing.Tracer }{foreign}, false, "struct"},
		"a pointer to no-op": {&opentracing.NoopTracer{}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			opentracing.SetGlobalTracer(c.global)
			var log logBuffer
			tracer, err := tracerinit.Start(tracerinit.Config{
				Logger: log.Logger(), LookupEnv: env(), Local: c.local, Reporters: []jaeger.Reporter{
					jaeger.NewNullReporter(),
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer shutdown(t, tracer, 0)
			if lines := strings.Count(log.String(), "\n"); (lines == 1) != (c.want != "") ||
				!strings.Contains(log.String(), c.want) {
				t.Errorf("logged %q, want %q", log.String(), c.want)
			}
			if c.want != "" && !strings.Contains(log.String(), "opentracing.SetGlobalTracer") {
				t.Errorf("the warning does not say where to look: %s", log.String())
			}
			if replaced := opentracing.GlobalTracer() == opentracing.Tracer(tracer); replaced == c.local {
				t.Errorf("the global tracer is %T", opentracing.GlobalTracer())
			}
		})
	}
}

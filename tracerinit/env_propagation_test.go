package tracerinit_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestPropagatorsOfTheEnvironment(t *testing.T) {
	for pairs, want := range map[string]string{
		"":                              "tracecontext,jaeger,b3,b3multi tracecontext,jaeger as the formats",
		"OTEL_PROPAGATORS=tracecontext": "tracecontext tracecontext none",
		"OTEL_PROPAGATORS=tracecontext,baggage,xray": "tracecontext tracecontext w3c",
		"OTEL_PROPAGATORS=jaeger,baggage":            "jaeger jaeger w3c,jaeger",
		"OTEL_PROPAGATORS=none":                      "none none none",
		"OTEL_PROPAGATORS=, JAEGER_PROPAGATION=,":    "tracecontext,jaeger,b3,b3multi tracecontext,jaeger as the formats",
		"OTEL_PROPAGATORS=ottrace":                   "none none none",
		"JAEGER_PROPAGATION=jaeger,b3,w3c": "jaeger,b3multi,tracecontext jaeger,b3multi,tracecontext " +
			"w3c,prefix,jaeger",
		"JAEGER_PROPAGATION=b3":                    "b3multi b3multi w3c,prefix",
		"JAEGER_PROPAGATION=jaeger":                "jaeger jaeger as the formats",
		"JAEGER_PROPAGATION=b3single":              "b3 b3 as the formats",
		"OTEL_PROPAGATORS=tracecontext,baggage,b3": "tracecontext,b3 tracecontext,b3 w3c",
	} {
		t.Run("environment "+pairs, func(t *testing.T) {
			r := resolve(tracerinit.Config{}, strings.Fields(pairs)...)
			var got []string
			for _, name := range []string{"extract", "inject", "baggage"} {
				got = append(got, valuesOf(r.Settings, "propagation."+name)...)
			}
			if strings.Join(got, " ") != want || r.Err != nil {
				t.Errorf("%q, %v; want %q", got, r.Err, want)
			}
			unknown := strings.Contains(pairs, "xray") || strings.Contains(pairs, "ottrace")
			if unknown != (len(r.Warnings) == 1) {
				t.Errorf("%s", r.Warnings)
			}
		})
	}
}

// TestB3OfTheEnvironmentReadsBothEncodings reads either encoding of B3 under any of its names, and writes the named
// one.
func TestB3OfTheEnvironmentReadsBothEncodings(t *testing.T) {
	for variable, want := range map[string]string{
		"OTEL_PROPAGATORS=b3": "B3", "OTEL_PROPAGATORS=b3multi": "X-B3-Traceid",
		"OTEL_PROPAGATORS=tracecontext,baggage,b3": "B3",
		"JAEGER_PROPAGATION=b3":                    "X-B3-Traceid", "JAEGER_PROPAGATION=b3multi": "X-B3-Traceid",
		"JAEGER_PROPAGATION=jaeger,b3": "X-B3-Traceid",
	} {
		t.Run(variable, func(t *testing.T) {
			tracer, _ := memory(t, tracerinit.Config{LookupEnv: env(variable)})
			for _, in := range []http.Header{
				{"B3": {callerTrace + "-" + callerSpan + "-1"}},
				{"X-B3-Traceid": {callerTrace}, "X-B3-Spanid": {callerSpan}, "X-B3-Sampled": {"1"}},
			} {
				sc, err := tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(in))
				if err != nil || carrier.TraceID(sc) != callerTrace {
					t.Errorf("%v from %v, %v", sc, in, err)
					continue
				}
				out := injected(t, tracer, sc)
				if both := out["B3"] != "" && out["X-B3-Traceid"] != ""; out[want] == "" || both {
					t.Errorf("sent %v", out)
				}
			}
		})
	}
}

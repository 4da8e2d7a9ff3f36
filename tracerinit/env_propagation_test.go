package tracerinit

import (
	"strings"
	"testing"
)

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

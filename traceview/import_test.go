package traceview_test

import (
	"strings"
	"testing"

	"github.com/spanloom/spanloom/traceview"
)

func TestFilesOfOtherToolsAreImported(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := shopTrace(t, v)
	jaeger := get(t, v, "/debug/traces/trace/"+traceHex(trace)+"/jaeger.json")
	for name, body := range map[string]string{
		"with a byte order mark":  "\ufeff" + jaeger,
		"packed":                  string(zipped([]byte(jaeger))),
		"Jaeger's API, version 3": get(t, v, "/debug/traces/api/v3/traces/"+traceHex(trace)),
		"Zipkin": `[{"traceId":"` + traceHex(trace) + `","id":"1","name":"get /","timestamp":1700000000000000,
			"duration":10,"localEndpoint":{"serviceName":"shop"}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			to := newView(t, traceview.Config{})
			w := call(to, "POST", "/debug/traces/import", strings.NewReader(body))
			if w.Code != 200 || !strings.Contains(w.Body.String(), traceHex(trace)) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			get(t, to, "/debug/traces/trace/"+traceHex(trace))
		})
	}
}

func TestFilesThatAreNoTracesAreNamedPlainly(t *testing.T) {
	v := newView(t, traceview.Config{})
	for name, c := range map[string]struct{ body, want string }{
		"empty":          {"", "this file is empty"},
		"mark alone":     {"\ufeff", "this file is empty"},
		"cut":            {`{"data":[`, "this file is cut off"},
		"a number":       {`{"data":[{"spans":[{"traceID":"1","spanID":"1","operationName":5}]}]}`, "operationName"},
		"of other tools": {`[]`, "neither a trace of Jaeger's UI nor OTLP nor Zipkin"},
	} {
		t.Run(name, func(t *testing.T) {
			w := call(v, "POST", "/debug/traces/import", strings.NewReader(c.body))
			if w.Code != 400 || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "Go struct") {
				t.Errorf("%d %s, want %q", w.Code, w.Body, c.want)
			}
		})
	}
}

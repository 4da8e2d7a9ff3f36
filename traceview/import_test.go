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

// TestFilesInOtherWrappings has one span in everything that tools put around it.
func TestFilesInOtherWrappings(t *testing.T) {
	const (
		trace  = "0af7651916cd43dd8448eb211c80319c"
		common = `,"name":"get","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"`
		hex    = `{"traceId":"` + trace + `","spanId":"b7ad6b7169203331"` + common + `}`
		base64 = `{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"t61rcWkgMzE=","kind":"SPAN_KIND_SERVER"` + common + `}`
		zipkin = `{"traceId":"` + trace + `","id":"b7ad6b7169203331","name":"get","timestamp":1700000000000000,"duration":100000}`
	)
	in := func(spans string) string {
		return `[{"resource":{"attributes":[]},"scopeSpans":[{"spans":[` + spans + `]}]}]`
	}
	utf16le := func(s string) string {
		out := "\xff\xfe"
		for i := range len(s) {
			out += s[i:i+1] + "\x00"
		}
		return out
	}
	for name, body := range map[string]string{
		"Tempo":                     `{"batches":` + in(base64) + `}`,
		"Tempo, version 2":          `{"trace":{"resourceSpans":` + in(base64) + `}}`,
		"Tempo, older version 2":    `{"trace":{"batches":` + in(base64) + `}}`,
		"saved by Grafana":          `{"batches":` + in(hex) + `}`,
		"OTLP with ids in base64":   `{"resourceSpans":` + in(base64) + `}`,
		"OTLP before 0.15":          `{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[` + hex + `]}]}]}`,
		"list of OTLP":              `[{"resourceSpans":` + in(hex) + `},{"resourceSpans":[]}]`,
		"Zipkin's API":              `[[` + zipkin + `]]`,
		"UTF-16 of PowerShell":      utf16le(`{"resourceSpans":` + in(hex) + `}`),
		"file that is written yet":  `{"resourceSpans":` + in(hex) + "}\n" + `{"resourceSp`,
		"a first line without span": `{"resourceSpans":[]}` + "\n" + `{"resourceSpans":` + in(hex) + "}\n",
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			w := call(v, "POST", "/debug/traces/import", strings.NewReader(body))
			if w.Code != 200 || !strings.Contains(w.Body.String(), trace) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			page := get(t, v, "/debug/traces/trace/"+trace)
			contains(t, page, "100 ms")
			contains(t, page, "unknown_service")
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
		"packed and cut": {string(zipped([]byte("{}")))[:12], "this file is cut off"},
		"number":         {`42`, "neither a trace of Jaeger's UI nor OTLP nor Zipkin"},
		"lists":          {`[[{"trace_id":1}]]`, "neither a trace of Jaeger's UI nor OTLP nor Zipkin"},
		"without spans":  {`{"resourceSpans":[]}`, "this file holds no spans"},
	} {
		t.Run(name, func(t *testing.T) {
			w := call(v, "POST", "/debug/traces/import", strings.NewReader(c.body))
			if w.Code != 400 || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), "Go struct") {
				t.Errorf("%d %s, want %q", w.Code, w.Body, c.want)
			}
		})
	}
}

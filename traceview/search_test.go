package traceview_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// searched is a view with three traces to look for.
func searched(t *testing.T) *traceview.View {
	v := newView(t, traceview.Config{})
	put(t, v, "shop", root(1, noon, ms(10), tag("q", "Out of Stock"), tag("sku", "42"), model.Tag{Key: "http.status_code", Value: model.Int(200)}))
	put(t, v, "shop", root(2, noon.Add(-ms(1)), ms(20), failed, tag("sku", "7"), model.Tag{Key: "http.response.status_code", Value: model.Int(503)}))
	s := root(3, noon.Add(-ms(2)), ms(30))
	s.Name = "POST /orders"
	put(t, v, "shop", s)
	put(t, v, "stock", model.Span{TraceID: id(3), SpanID: 9, ParentID: 3, Name: "check", Start: s.Start.Add(ms(25)), Duration: ms(15), Tags: []model.Tag{failed, tag("span.kind", "server")},
		Logs: []model.Log{{Fields: []model.Tag{tag("message", `the shelf fell over`)}}}})
	return v
}

func TestSearchesFindWhatTheySay(t *testing.T) {
	v := searched(t)
	for query, want := range map[string][]string{
		"":                             {"0001", "0002", "0003"},
		"shelf":                        {"0003"},
		"SHELF":                        {"0003"},
		`"out of stock"`:               {"0001"},
		"stock":                        {"0001", "0003"},
		"status>=500":                  {"0002"},
		"status=200":                   {"0001"},
		"status<500 dur>5ms":           {"0001"},
		"dur>20ms":                     {"0003"}, // the trace takes 40 ms
		"dur>35ms":                     {"0003"},
		"service=stock dur>20ms":       {}, // the span takes 15 ms
		"service:stock":                {"0003"},
		"op~ORD":                       {"0003"},
		`operation="POST /orders"`:     {"0003"},
		"kind=server":                  {"0003"},
		"error":                        {"0002", "0003"},
		"!error":                       {"0001"},
		"error !service=stock":         {"0002"},
		"error !sku=7":                 {"0003"},
		"sku=*":                        {"0001", "0002"},
		"sku!=42":                      {"0002"},
		"sku>10":                       {"0001"},
		"sku<=7":                       {"0002"},
		"!sku=*":                       {"0003"},
		"spans>1":                      {"0003"},
		"errors=1":                     {"0002", "0003"},
		"GET sku=42":                   {"0001"},
		"http://shop:8080/a?b=c 12:30": {},
	} {
		t.Run("q="+query, func(t *testing.T) {
			if diff := cmp.Diff(want, listed(t, v, "q="+escape(query))); diff != "" {
				t.Errorf("%s (-want +got)\n%s", query, diff)
			}
		})
	}
}

func TestErrorsOfASearchAreSaid(t *testing.T) {
	v := searched(t)
	for query, want := range map[string]string{
		"status>=": "has no value", "dur>soon": "is not a duration", "sku>many": "is none", `"open`: "not closed", "spans=few": "is none",
		strings.Repeat("a ", 40): "Only the first 32", strings.Repeat("x", traceview.MaxQuery+1): "longer than",
	} {
		t.Run(fmt.Sprintf("%.40s", query), func(t *testing.T) {
			page := get(t, v, "/debug/traces/?q="+escape(query))
			contains(t, page, want)
			contains(t, page, `class="problem" role="alert"`)
		})
	}
	contains(t, get(t, v, "/debug/traces/?q="+escape(`status>=`)), `value="status&gt;="`) // it is still in the field
}

func TestPastedTextWithAnIdOpensItsTrace(t *testing.T) {
	v := searched(t)
	trace, span := traceHex(id(3)), spanHex(9)
	for text, want := range map[string]string{
		trace: "trace/" + trace, strings.ToUpper(trace): "trace/" + trace,
		"00-" + trace + "-00f067aa0ba902b7-01":                   "trace/" + trace,
		"traceparent: 00-" + trace + "-00f067aa0ba902b7-01":      "trace/" + trace,
		"2026-03-14 level=info trace_id=" + trace + ` msg="x y"`: "trace/" + trace,
		`{"trace_id":"` + trace + `","span_id":"` + span + `"}`:  "trace/" + trace + "?span=" + span + "#span-" + span,
		"http://localhost:16686/trace/" + trace + "?uiFind=x":    "trace/" + trace,
		span: "trace/" + trace + "?span=" + span + "#span-" + span,
		trace[:8] + "-" + trace[8:12] + "-" + trace[12:16] + "-" + trace[16:20] + "-" + trace[20:]: "trace/" + trace,
		"x-request-id=4bf92f3577b34da6a3ce929d0e0e4736":                                            "",
		"sku=42": "",
	} {
		t.Run(fmt.Sprintf("%.40s", text), func(t *testing.T) {
			w := call(v, "GET", "/debug/traces/?q="+escape(text), nil)
			if got := w.Header().Get("Location"); got != map[bool]string{true: "./" + want}[want != ""] {
				t.Errorf("%s leads to %q, want %q", text, got, want)
			}
		})
	}
}

// Links are relative to the page, so that they lead somewhere under every mount.
func TestRedirectsLeadSomewhereUnderAMount(t *testing.T) {
	v := searched(t)
	for _, prefix := range []string{"/debug/traces", "/other/debug/traces"} {
		t.Run(prefix, func(t *testing.T) {
			w := call(v, "GET", prefix+"/?q="+traceHex(id(1)), nil)
			if got := w.Header().Get("Location"); got != "./trace/"+traceHex(id(1)) {
				t.Errorf("below %s: %q", prefix, got)
			}
		})
	}
}

func TestOwnFilesComeBack(t *testing.T) {
	for _, format := range []string{"jaeger", "otlp"} {
		t.Run(format, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			trace := traceHex(shopTrace(t, v))
			file := get(t, v, "/debug/traces/trace/"+trace+"/"+format+".json")
			before := get(t, v, "/debug/traces/api/traces/"+trace)
			again := newView(t, traceview.Config{})
			w := call(again, "POST", "/debug/traces/import", strings.NewReader(file), "Content-Type", "application/json")
			if w.Code != 200 || !strings.Contains(w.Body.String(), trace) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var a, b any
			if json.Unmarshal([]byte(before), &a) != nil || json.Unmarshal([]byte(get(t, again, "/debug/traces/api/traces/"+trace)), &b) != nil {
				t.Fatal("no JSON")
			}
			if format == "jaeger" {
				if diff := cmp.Diff(a, b); diff != "" {
					t.Errorf("(-before +after)\n%s", diff)
				}
			}
		})
	}
}

func TestFilesThatAreNoneAreRefused(t *testing.T) {
	v := newView(t, traceview.Config{})
	for body, want := range map[string]string{
		"":                       "empty",
		"hello":                  "not JSON",
		`{"data":[]}`:            "neither",
		`{"data":[{"spans":7}]}`: "Jaeger JSON ",
		`{"data":[{"spans":[{"traceID":"zz","spanID":"1"}]}]}`:                    "has a span with",
		`{"data":[{"spans":[{"traceID":"1","spanID":"1","processID":"p1"}]}]}`:    "which is not in the file",
		`{"data":[{"spans":[{"traceID":"1","spanID":"1","startTime":"later"}]}]}`: "Jaeger JSON ",
	} {
		t.Run("file "+body, func(t *testing.T) {
			w := call(v, "POST", "/debug/traces/import", strings.NewReader(body))
			if w.Code != 400 {
				t.Errorf("%s: %d", body, w.Code)
			}
			contains(t, w.Body.String(), want)
		})
	}
	w := call(v, "POST", "/debug/traces/v1/traces", bytes.NewBufferString(`{"data":[{"spans":[],"processes":{}}]}`), "Content-Type", "application/json")
	if w.Code != 400 || !strings.Contains(w.Body.String(), "/import") {
		t.Errorf("Jaeger's JSON as OTLP: %d %s", w.Code, w.Body)
	}
}

func FuzzSearch(f *testing.F) {
	f.Add(`status>=500 dur>20ms service=x error !key=v "a b" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`)
	v := traceview.New(traceview.Config{})
	s := root(1, noon, ms(1), tag("a", "b"))
	put(f, v, "x", s)
	f.Fuzz(func(t *testing.T, q string) {
		if w := call(v, "GET", "/debug/traces/?limit=1&q="+escape(q), nil); w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

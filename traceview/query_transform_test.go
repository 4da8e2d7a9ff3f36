package traceview_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestTransformKeepsNothing(t *testing.T) {
	v := newView(t, traceview.Config{})
	path := "/debug/traces/trace/" + traceHex(shopTrace(t, v))
	file, want := get(t, v, path+"/otlp.json"), get(t, v, path+"/jaeger.json")
	fresh := newView(t, traceview.Config{})
	w := call(fresh, "POST", "/debug/traces/api/transform", strings.NewReader(file))
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	ids := func(s string) []string {
		return regexp.MustCompile(`"spanID":"[0-9a-f]{16}","flags|"operationName":"[^"]*"`).FindAllString(s, -1)
	}
	if got := w.Body.String(); fmt.Sprint(ids(got)) != fmt.Sprint(ids(want)) || len(ids(got)) == 0 {
		t.Errorf("%v, want %v", ids(got), ids(want))
	}
	if n := traceview.CountsOf(fresh).Traces; n != 0 {
		t.Errorf("%d traces are kept", n)
	}
	for body, status := range map[string]int{"": 400, "x": 400, `{"resourceSpans":7}`: 400, `{"resourceSpans":[]}`: 200, strings.Repeat(" ", traceview.MaxBody+1): 413} {
		t.Run(fmt.Sprintf("%.20q", body), func(t *testing.T) {
			w := call(fresh, "POST", "/debug/traces/api/transform", strings.NewReader(body))
			if w.Code != status || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%.20q: %d %.200s", body, w.Code, w.Body)
			}
		})
	}
}

func TestTraceStateTravelsInJaegerJSON(t *testing.T) {
	v := newView(t, traceview.Config{})
	s := root(1, noon, ms(1))
	s.TraceState = "vendor=1"
	put(t, v, "shop", s)
	file := get(t, v, "/debug/traces/trace/"+traceHex(id(1))+"/jaeger.json")
	contains(t, file, `{"key":"w3c.tracestate","type":"string","value":"vendor=1"}`)
	again := newView(t, traceview.Config{})
	if w := call(again, "POST", "/debug/traces/import", strings.NewReader(file)); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if got := traceview.FirstSpanOf(again, id(1)); got.TraceState != "vendor=1" || len(got.Tags) != 0 {
		t.Errorf("trace state %q, tags %v", got.TraceState, got.Tags)
	}
}

// Jaeger UI refuses a whole trace if one field of it is not as its schema has it: ids are 32 and 16 digits and not zero,
// 64-bit numbers are decimal text, and a value has exactly one field.
func TestVersion3HoldsTheContractOfJaegerUI(t *testing.T) {
	v := newView(t, traceview.Config{})
	hostileTrace(t, v)
	for i, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308} {
		put(t, v, "s", model.Span{TraceID: id(0x666), SpanID: uint64(100 + i), Name: "f", Start: time.Unix(-5, 0), Duration: -ms(1),
			Tags: []model.Tag{{Key: "f", Value: model.Float(f)}, {Key: "b", Value: model.Bytes([]byte{0xff, 0})}, {Key: "i", Value: model.Int(math.MinInt64)}},
			Refs: []model.Ref{{}, {TraceID: id(1)}, {SpanID: 7}, {TraceID: id(1), SpanID: 7}}})
	}
	for _, path := range []string{"traces/" + traceHex(id(0x666)), "traces?query.service_name=s&query.start_time_min=1900-01-01T00:00:00Z", "trace-summaries?query.service_name=s&query.start_time_min=1900-01-01T00:00:00Z"} {
		t.Run(path, func(t *testing.T) {
			var answer any
			if err := json.Unmarshal([]byte(get(t, v, "/debug/traces/api/v3/"+path)), &answer); err != nil {
				t.Fatalf("%v", err)
			}
			checkContract(t, path, "", answer)
		})
	}
}

var contract = map[string]*regexp.Regexp{
	"traceId": regexp.MustCompile(`^[0-9a-f]{32}$`), "spanId": regexp.MustCompile(`^[0-9a-f]{16}$`), "parentSpanId": regexp.MustCompile(`^[0-9a-f]{16}$`),
	"startTimeUnixNano": regexp.MustCompile(`^\d+$`), "endTimeUnixNano": regexp.MustCompile(`^\d+$`), "timeUnixNano": regexp.MustCompile(`^\d+$`),
	"minStartTimeUnixNano": regexp.MustCompile(`^\d+$`), "maxEndTimeUnixNano": regexp.MustCompile(`^\d+$`), "intValue": regexp.MustCompile(`^-?\d+$`),
}

func checkContract(t *testing.T, path, key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if key == "value" && len(v) != 1 {
			t.Errorf("%s: a value with %d fields: %v", path, len(v), v)
		}
		for k, e := range v {
			checkContract(t, path, k, e)
		}
	case []any:
		for _, e := range v {
			checkContract(t, path, key, e)
		}
	case string:
		if form := contract[key]; form != nil && !form.MatchString(v) || strings.HasSuffix(key, "Id") && strings.Trim(v, "0") == "" {
			t.Errorf("%s: %s is %q", path, key, v)
		}
		if key == "doubleValue" {
			t.Errorf("%s: a number as the text %q", path, v)
		}
	}
}

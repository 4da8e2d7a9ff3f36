package traceview_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestQueryAPIAnswersInJaegersShape(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	for file, path := range map[string]string{
		"api-services.json":           "services",
		"api-service-operations.json": "services/shop/operations",
		"api-operations.json":         "operations?service=shop",
		"api-operations-client.json":  "operations?service=shop&spanKind=client",
		"api-traces.json":             "traces?service=stock&prettyPrint=true",
		"api-traces-none.json":        "traces?service=nobody",
		"api-dependencies.json":       "dependencies?lookback=86400000",
		"api-dependencies-none.json":  "dependencies?endTs=1000&lookback=1000",
		"api-traces-by-id.json":       "traces?traceID=" + trace + "&traceID=77&prettyPrint=true",
	} {
		t.Run(file, func(t *testing.T) {
			golden(t, file, get(t, v, "/debug/traces/api/"+path))
		})
	}
	one := get(t, v, "/debug/traces/api/traces/"+trace+"?prettyPrint=true")
	if one != get(t, v, "/debug/traces/api/traces?service=stock&prettyPrint=true") {
		t.Error("the search and the look-up by id show the trace in different ways")
	}
	if w := call(v, "GET", "/debug/traces/api/services", nil); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", w.Header().Get("Content-Type"))
	}
}

func TestQueryAPIErrors(t *testing.T) {
	v := newView(t, traceview.Config{})
	for path, want := range map[string]traceview.APIError{
		"traces":                         {Code: 400, Msg: "parameter 'service' is required"},
		"operations":                     {Code: 400, Msg: "parameter 'service' is required"},
		"traces/0123":                    {Code: 404, Msg: "trace not found"},
		"traces/xyz":                     {Code: 400, Msg: `"xyz" is not a trace id`},
		"traces?traceID=xyz":             {Code: 400, Msg: `cannot parse traceID param: "xyz"`},
		"traces?service=s&start=x":       {Code: 400, Msg: `unable to parse param 'start': "x"`},
		"traces?service=s&end=x":         {Code: 400, Msg: `unable to parse param 'end': "x"`},
		"traces?service=s&limit=x":       {Code: 400, Msg: `unable to parse param 'limit': "x"`},
		"traces?service=s&lookback=x":    {Code: 400, Msg: `unable to parse param 'lookback': "x"`},
		"traces?service=s&minDuration=5": {Code: 400, Msg: `unable to parse param 'minDuration': "5"`},
		"traces?service=s&minDuration=2s&maxDuration=1s": {Code: 400, Msg: "'maxDuration' should be greater than 'minDuration'"},
		"traces?service=s&tag=x":                         {Code: 400, Msg: "malformed 'tag' parameter, expecting key:value, received: x"},
		"dependencies?endTs=x":                           {Code: 400, Msg: `unable to parse param 'endTs': "x"`},
		"dependencies?lookback=9223372036854775807":      {Code: 400, Msg: `unable to parse param 'lookback': "9223372036854775807"`},
	} {
		t.Run(path, func(t *testing.T) {
			w := call(v, "GET", "/debug/traces/api/"+path, nil)
			var got struct {
				Data   any
				Errors []traceview.APIError
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Errorf("%v", err)
				return
			}
			if diff := cmp.Diff([]traceview.APIError{want}, got.Errors); diff != "" || w.Code != want.Code || got.Data != nil {
				t.Errorf("%d (-want +got)\n%s", w.Code, diff)
			}
		})
	}
}

// found returns the low halves of the ids that a search finds, in order.
func found(t *testing.T, v *traceview.View, query string) []string {
	t.Helper()
	var answer struct{ Data []traceview.JaegerTrace }
	if err := json.Unmarshal([]byte(get(t, v, "/debug/traces/api/traces?"+query)), &answer); err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, trace := range answer.Data {
		ids = append(ids, trace.TraceID[28:])
	}
	return ids
}

func TestTheAPISearchesAsJaegerDoes(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range 5 {
		s := root(uint64(n+1), noon.Add(-ms(n*1000)), ms(10*(n+1)), tag("user", fmt.Sprint("u", n)), model.Tag{Key: "code", Value: model.Int(int64(n))})
		s.Name = fmt.Sprint("op", n%2)
		put(t, v, "shop", s)
	}
	put(t, v, "stock", model.Span{TraceID: id(3), SpanID: 77, ParentID: 3, Name: "check", Start: noon, Duration: ms(1)})
	us := func(n int) string { return fmt.Sprint(noon.Add(-ms(n * 1000)).UnixMicro()) }
	for query, want := range map[string][]string{
		"service=shop":                                            {"0001", "0002", "0003", "0004", "0005"},
		"service=shop&limit=2":                                    {"0001", "0002"},
		"service=stock":                                           {"0003"},
		"service=stock&operation=op0":                             {},
		"service=shop&operation=op1":                              {"0002", "0004"},
		"service=shop&minDuration=25ms":                           {"0003", "0004", "0005"},
		"service=shop&minDuration=20ms&maxDuration=30ms":          {"0002", "0003"},
		"service=shop&start=" + us(2):                             {"0001", "0002", "0003"},
		"service=shop&start=" + us(3) + "&end=" + us(1):           {"0002", "0003", "0004"},
		"service=shop&lookback=2500ms":                            {"0001", "0002", "0003"},
		"service=shop&lookback=2d&limit=1":                        {"0001"},
		"service=shop&lookback=custom&limit=1":                    {"0001"},
		"service=shop&tag=user:u3":                                {"0004"},
		"service=shop&tags=" + escape(`{"code":"2","user":"u2"}`): {"0003"},
		"service=shop&tags=" + escape(`{"code":"2","user":"u1"}`): {},
		"service=nobody":                                          {},
	} {
		t.Run(query, func(t *testing.T) {
			if diff := cmp.Diff(want, found(t, v, query)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", query, diff)
			}
		})
	}
}

func TestOddValuesAreValidJSON(t *testing.T) {
	v := newView(t, traceview.Config{})
	put(t, v, "shop", root(1, noon, ms(1), model.Tag{Key: "nan", Value: model.Float(math.NaN())}, model.Tag{Key: "inf", Value: model.Float(math.Inf(-1))},
		model.Tag{Key: "min", Value: model.Int(math.MinInt64)}, model.Tag{Key: "max", Value: model.Float(math.MaxFloat64)}))
	hostileTrace(t, v)
	for _, p := range []string{"api/traces/" + traceHex(id(1)), "api/traces/" + traceHex(id(0x666)), "trace/" + traceHex(id(1)) + "/otlp.json", "trace/" + traceHex(id(0x666)) + "/otlp.json"} {
		t.Run(p, func(t *testing.T) {
			if body := get(t, v, "/debug/traces/"+p); !json.Valid([]byte(body)) {
				t.Errorf("%s is no JSON: %s", p, body)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/api/traces/"+traceHex(id(1))), `{"key":"min","type":"int64","value":"-9223372036854775808"}`)
}

func TestDownloadsAreFiles(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	for _, kind := range []string{"jaeger", "otlp"} {
		t.Run(kind, func(t *testing.T) {
			w := call(v, http.MethodGet, "/debug/traces/trace/"+trace+"/"+kind+".json", nil)
			want := fmt.Sprintf(`attachment; filename="%s.%s.json"`, trace, kind)
			if got := w.Header().Get("Content-Disposition"); got != want || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%q", w.Header())
			}
		})
	}
}

package traceview_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/traceview"
)

// Jaeger UI 2.19 fills its search from these.
func TestQueryAPIVersion3(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	contains(t, get(t, v, "/debug/traces/api/v3/services"), `{"services":["mail","shop","stock"]}`)
	contains(t, get(t, v, "/debug/traces/api/v3/operations?service=shop&span_kind=client"), `{"operations":[{"name":"GetStock","spanKind":"client"}]}`)
	at := func(d time.Duration) string { return escape(noon.Add(d).Format(time.RFC3339Nano)) }
	var got struct{ Summaries []traceview.SummaryV3 }
	query := "?query.service_name=shop&query.span_name=GetStock&query.num_traces=20&query.start_time_min=" + at(-time.Hour) + "&query.start_time_max=" + at(time.Hour) + "&query.duration_min=10ms"
	if err := json.Unmarshal([]byte(get(t, v, "/debug/traces/api/v3/trace-summaries"+query)), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Summaries) != 1 {
		t.Fatalf("%d summaries", len(got.Summaries))
	}
	s := got.Summaries[0]
	if s.TraceID != trace || s.RootOperationName != "POST /orders" || s.SpanCount != 4 || s.ErrorSpanCount != 1 || s.OrphanSpanCount != 0 || len(s.Services) != 3 ||
		s.MinStart != "1773489597000000000" || s.MaxEnd != "1773489597260000000" {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{"traces/" + trace, "traces" + query} {
		t.Run(path, func(t *testing.T) {
			var one struct{ Result json.RawMessage }
			if err := json.Unmarshal([]byte(get(t, v, "/debug/traces/api/v3/"+path)), &one); err != nil {
				t.Fatal(err)
			}
			if batches, err := otlp.DecodeRequestJSON(one.Result, traceview.DecodeLimits); err != nil || len(batches) != 3 {
				t.Errorf("%d processes, %v", len(batches), err)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/api/v3/trace-summaries?query.service_name=nobody"), `{"summaries":[]}`)
	contains(t, get(t, v, "/debug/traces/api/v3/operations"), `{"operations":[]}`)
	for path, status := range map[string]int{
		"trace-summaries": 400, "trace-summaries?query.service_name=x&query.start_time_min=x": 400,
		"traces/zz": 400, "traces/12": 404, "traces?query.service_name=nobody": 404, "trace-summaries?query.service_name=x&query.num_traces=x": 400,
	} {
		t.Run(path, func(t *testing.T) {
			w := call(v, "GET", "/debug/traces/api/v3/"+path, nil)
			if w.Code != status || !strings.Contains(w.Body.String(), `"message":`) {
				t.Errorf("%d %s, want %d", w.Code, w.Body, status)
			}
		})
	}
}

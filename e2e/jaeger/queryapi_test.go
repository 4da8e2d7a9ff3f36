package jaeger_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/e2e/internal/jaeger"
	"github.com/spanloom/spanloom/e2e/internal/wait"
	"github.com/spanloom/spanloom/traceview"
)

const queryTrace = "0af7651916cd43dd8448eb211c80319c"

// queryRequest is one trace of two services with everything that the query API has a field for.
func queryRequest(start int64) string {
	at := func(ms int64) string { return fmt.Sprintf(`"%d"`, start+ms*1e6) }
	resource := func(service, spans string) string {
		return `{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"` + service + `"}},{"key":"host.name","value":{"stringValue":"h1"}}]},"scopeSpans":[{"scope":{"name":"lib","version":"1.2"},"spans":[` + spans + `]}]}`
	}
	root := `{"traceId":"` + queryTrace + `","spanId":"b7ad6b7169203331","name":"GET /cart","kind":2,"startTimeUnixNano":` + at(0) + `,"endTimeUnixNano":` + at(50) + `,"traceState":"a=1",
		"attributes":[{"key":"text","value":{"stringValue":"ü"}},{"key":"flag","value":{"boolValue":true}},{"key":"n","value":{"intValue":"7"}},{"key":"f","value":{"doubleValue":0.5}}],
		"events":[{"timeUnixNano":` + at(5) + `,"name":"cache miss","attributes":[{"key":"key","value":{"stringValue":"cart"}}]}],
		"status":{"code":2,"message":"no stock"}}`
	call := `{"traceId":"` + queryTrace + `","spanId":"b7ad6b7169203332","parentSpanId":"b7ad6b7169203331","name":"GetStock","kind":3,"startTimeUnixNano":` + at(10) + `,"endTimeUnixNano":` + at(40) + `}`
	server := `{"traceId":"` + queryTrace + `","spanId":"b7ad6b7169203333","parentSpanId":"b7ad6b7169203332","name":"GetStock","kind":2,"startTimeUnixNano":` + at(12) + `,"endTimeUnixNano":` + at(38) + `,
		"links":[{"traceId":"11111111111111111111111111111111","spanId":"2222222222222222"}],"status":{"code":1}}`
	return `{"resourceSpans":[` + resource("shop", root+","+call) + `,` + resource("stock", server) + `]}`
}

// queryGet answers with the status and the JSON of the body.
func queryGet(t *testing.T, base, path string) (int, any) {
	t.Helper()
	resp, err := http.Get(base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		v = string(body)
	}
	return resp.StatusCode, v
}

// normalized orders every list by its text, and leaves out what may differ: fields that protobuf's JSON omits if they are
// empty, the words of errors, calls within one service, and the marks by which Jaeger says what a span came as and the
// page what kind of reference a link is.
func normalized(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, isError := v["code"]
		nameProcesses(v)
		for k, e := range v {
			e = normalized(e)
			v[k] = e
			list, isList := e.([]any)
			number, isNumber := e.(json.Number)
			if isList && len(list) == 0 || isNumber && number == "0" || e == "" || (k == "message" || k == "msg") && (isError || v["httpCode"] != nil) || k == "total" {
				delete(v, k)
			}
		}
	case []any:
		v = slices.DeleteFunc(v, func(e any) bool {
			m, _ := e.(map[string]any)
			return m["key"] == "opentracing.ref_type" || m["key"] == "internal.span.format" || m["parent"] != nil && m["parent"] == m["child"]
		})
		for i, e := range v {
			v[i] = normalized(e)
		}
		slices.SortFunc(v, func(a, b any) int { return cmp.Compare(order(a), order(b)) })
		return v
	}
	return v
}

// nameProcesses gives the processes of a trace the names of their services, since which is p1 is left to chance.
func nameProcesses(trace map[string]any) {
	processes, _ := trace["processes"].(map[string]any)
	spans, _ := trace["spans"].([]any)
	named := map[string]any{}
	for _, s := range spans {
		s := s.(map[string]any)
		p, _ := processes[fmt.Sprint(s["processID"])].(map[string]any)
		s["processID"] = p["serviceName"]
		named[fmt.Sprint(p["serviceName"])] = p
	}
	if processes != nil {
		trace["processes"] = named
	}
}

// order is by what names an element.
func order(v any) string {
	if m, ok := v.(map[string]any); ok {
		for _, key := range []string{"spanId", "spanID", "key", "name", "serviceName"} {
			if m[key] != nil {
				return fmt.Sprint(m[key])
			}
		}
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// TestQueryAPIAnswersAsJaegerDoes sends one trace to Jaeger and to the page, and compares what their query APIs answer.
func TestQueryAPIAnswersAsJaegerDoes(t *testing.T) {
	j := jaeger.Start(t)
	view := traceview.New(traceview.Config{Prefix: "/"})
	defer view.Close()
	page := httptest.NewServer(view)
	defer page.Close()
	start := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	for _, to := range []string{j.OTLPHTTP, page.URL} {
		resp, err := http.Post(to+"/v1/traces", "application/json", strings.NewReader(queryRequest(start.UnixNano())))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatal(to, resp.Status)
		}
	}
	wait.For(t, "the trace", func() (any, bool) {
		status, _ := queryGet(t, string(j.API), "/api/traces/"+queryTrace)
		return status, status == http.StatusOK
	})
	t.Run("POST /api/transform", func(t *testing.T) {
		want, got := transform(t, string(j.API), start), transform(t, page.URL, start)
		if diff := gocmp.Diff(normalized(want), normalized(got)); diff != "" {
			t.Errorf("(-Jaeger +page)\n%s", diff)
		}
	})
	micros := func(d time.Duration) string { return fmt.Sprint(start.Add(d).UnixMicro()) }
	iso := func(d time.Duration) string {
		return url.QueryEscape(start.Add(d).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	search := "/api/traces?service=shop&start=" + micros(-time.Hour) + "&end=" + micros(time.Hour) + "&limit=20&lookback=custom"
	search3 := "query.service_name=shop&query.start_time_min=" + iso(-time.Hour) + "&query.start_time_max=" + iso(time.Hour) + "&query.num_traces=20"
	for _, path := range []string{
		"/api/services", "/api/services/shop/operations", "/api/operations?service=shop", "/api/operations?service=shop&spanKind=server",
		"/api/traces/" + queryTrace, search, search + "&operation=GetStock", search + "&tags=" + url.QueryEscape(`{"n":"7"}`), search + "&minDuration=1s",
		"/api/dependencies?endTs=" + fmt.Sprint(start.Add(time.Hour).UnixMilli()) + "&lookback=604800000",
		"/api/traces/1234", "/api/traces/zz", "/api/traces", "/api/operations",
		"/api/v3/services", "/api/v3/operations?service=shop", "/api/v3/operations", "/api/v3/traces/" + queryTrace, "/api/v3/traces/1234", "/api/v3/traces/zz",
		"/api/v3/traces?" + search3,
	} {
		t.Run(path, func(t *testing.T) {
			wantStatus, want := queryGet(t, string(j.API), path)
			gotStatus, got := queryGet(t, page.URL, path)
			if html, ok := want.(string); ok && strings.Contains(html, "<html") {
				t.Fatal("Jaeger answers with its page")
			}
			if gotStatus != wantStatus {
				t.Errorf("status %d, Jaeger answers %d", gotStatus, wantStatus)
			}
			if diff := gocmp.Diff(normalized(want), normalized(got)); diff != "" {
				t.Errorf("(-Jaeger +page)\n%s", diff)
			}
		})
	}
}

// transform sends a file of OTLP as Jaeger UI does when one opens it.
func transform(t *testing.T, base string, start time.Time) any {
	t.Helper()
	resp, err := http.Post(base+"/api/transform", "text/plain;charset=UTF-8", strings.NewReader(queryRequest(start.UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var v any
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(&v); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return v
}

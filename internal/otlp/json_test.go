package otlp

import (
	"encoding/json"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/spanloom/spanloom/internal/model"
)

// sdkJSON says what sdkRequest says, in all the ways that JSON allows.
const sdkJSON = `{
  "resourceSpans": [
    {
      "resource": {"attributes": [
        {"key": "telemetry.sdk.language", "value": {"stringValue": "go"}}, {"key": "service.name", "value": {"stringValue": "cart"}}
      ], "droppedAttributesCount": 0},
      "scopeSpans": [
        {
          "spans": [{
            "traceId": "F123456789ABCDEF8000000000000001", "spanId": "0000000000000002", "parentSpanId": "0000000000000001",
            "traceState": "v=1", "flags": 771, "name": "GET /", "kind": "SPAN_KIND_CLIENT", "unknown": {"deep": [1, {"er": null}]},
            "startTimeUnixNano": "1772600767123456789", "endTimeUnixNano": 1772600767123458289,
            "attributes": [
              {"key": "http.request.method", "value": {"stringValue": "GET"}}, {"key": "retries", "value": {"intValue": "3"}},
              {"key": "raw", "value": {"bytesValue": "AQI="}}, {"key": "none"},
              {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "a\""}, {"intValue": 1}, {"boolValue": true},
                {"doubleValue": 0.5}, {"bytesValue": "_w"}, {}, {"doubleValue": "NaN"}]}}},
              {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {}}}, {"key": "n"}]}}},
              {"value": {"stringValue": "no key"}}
            ],
            "events": [{"timeUnixNano": "1772600767123456794", "name": "exception", "droppedAttributesCount": 1,
              "attributes": [{"key": "exception.type", "value": {"stringValue": "E"}}]}],
            "links": [{"traceId": "00000000000000000000000000000007", "spanId": "0000000000000008", "traceState": "x=1"}, {}],
            "status": {"code": 2, "message": "boom"}
          }],
          "scope": {"name": "otelhttp", "version": "0.60", "attributes": []}
        },
        {"scope": null, "spans": [{"trace_id": "f123456789abcdef8000000000000001", "span_id": "0000000000000003", "name": "ok", "parentSpanId": "",
          "start_time_unix_nano": "1772600767123456789", "end_time_unix_nano": "0", "kind": 0, "status": {"code": "STATUS_CODE_OK"}, "links": null}]}
      ]
    },
    {"scopeSpans": [{"spans": [{"traceId": "f123456789abcdef8000000000000001", "spanId": "0000000000000003", "name": "ok",
      "startTimeUnixNano": "1772600767123456789", "status": {"code": 1}}]}]}
  ]
}`

func TestDecodeJSON(t *testing.T) {
	got, err := DecodeRequestJSON([]byte(sdkJSON), model.DecodeLimits{})
	if diff := gocmp.Diff(shownBatches(), got, sameValue, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// TestNamesOfOlderOTLPAreRead reads the names that OTLP had before 0.15, in both encodings.
func TestNamesOfOlderOTLPAreRead(t *testing.T) {
	old := strings.NewReplacer("scopeSpans", "instrumentationLibrarySpans", `"scope"`, `"instrumentation_library"`).Replace(sdkJSON)
	fromJSON, err := DecodeRequestJSON([]byte(old), model.DecodeLimits{})
	if diff := gocmp.Diff(shownBatches(), fromJSON, sameValue, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	message := func(field protowire.Number, content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
	}
	span := message(scopeSpansSpans, appendSpanID(appendTraceID(nil, spanTraceID, testTrace), spanSpanID, 1))
	request := message(requestResourceSpans, message(resourceSpansOldSpans, span))
	fromWire, err := DecodeRequest(request, model.DecodeLimits{})
	if err != nil || len(fromWire) != 1 || len(fromWire[0].Spans) != 1 {
		t.Errorf("%v %v", fromWire, err)
	}
}

func TestIDsInBase64(t *testing.T) {
	body := []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"CvdlGRbNQ92ESOshHIAxnA==","spanId":"t61rcWkgMzE="}]}]}]}`)
	if _, err := DecodeRequestJSON(body, model.DecodeLimits{}); err == nil {
		t.Error("a receiver takes them")
	}
	got, err := DecodeFileJSON(body, model.DecodeLimits{})
	want := model.TraceID{High: 0x0af7651916cd43dd, Low: 0x8448eb211c80319c}
	if err != nil || got[0].Spans[0].TraceID != want || got[0].Spans[0].SpanID != 0xb7ad6b7169203331 {
		t.Errorf("%v %v", got, err)
	}
}

func TestDecodeBadJSON(t *testing.T) {
	span := func(members string) string {
		return `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"f123456789abcdef8000000000000001","spanId":"0000000000000003",` + members + `}]}]}]}`
	}
	attribute := func(value string) string { return span(`"attributes":[{"key":"k","value":` + value + `}]`) }
	for name, body := range map[string]string{
		"nothing": "", "text": `"x"`, "array": `[]`, "cut": sdkJSON[:900], "two": "{} {}", "junk": "{}x", "not an object": `{"resourceSpans":[1]}`,
		"not an array": `{"resourceSpans":{}}`, "id not hex": span(`"parentSpanId":"xyz"`), "id too short": span(`"parentSpanId":"12"`),
		"base64 id": span(`"parentSpanId":"8SNFZ4mrze8="`), "negative time": span(`"startTimeUnixNano":-1`), "time as text": span(`"startTimeUnixNano":"now"`),
		"fraction": attribute(`{"intValue":1.5}`), "too large": attribute(`{"intValue":"9223372036854775808"}`), "text as bool": attribute(`{"boolValue":"true"}`),
		"time as object": span(`"startTimeUnixNano":{}`), "float as text": attribute(`{"doubleValue":"many"}`), "float as bool": attribute(`{"doubleValue":true}`),
		"time too large": span(`"endTimeUnixNano":1e30`), "short trace id in a link": span(`"links":[{"traceId":"12"}]`), "status as text": span(`"status":"ok"`),
		"number as text": attribute(`{"stringValue":1}`), "bad base64": attribute(`{"bytesValue":"*"}`), "kind unknown": span(`"kind":"client"`),
		"deep value": attribute(strings.Repeat(`{"arrayValue":{"values":[`, 33) + strings.Repeat(`]}}`, 33)),
		"deep junk":  span(`"x":` + strings.Repeat("[", 1001) + strings.Repeat("]", 1001)), "no ids": `{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeRequestJSON([]byte(body), model.DecodeLimits{}); err == nil || got != nil {
				t.Errorf("%s: %v %v", name, got, err)
			}
		})
	}
	for name, body := range map[string]string{
		"empty": "{}", "null": `{"resourceSpans":null}`, "deep junk": `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
		"integers as floats": attribute(`{"intValue":1e3}`), "large double": attribute(`{"doubleValue":1e999}`), "kind of the future": span(`"kind":99`),
		"names of the future": span(`"kind":"SPAN_KIND_NEW","status":{"code":"STATUS_CODE_NEW","new":1}`), "time as float": span(`"startTimeUnixNano":1.5e18`),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeRequestJSON([]byte(body), model.DecodeLimits{}); err != nil {
				t.Errorf("%s: %v %v", name, got, err)
			}
		})
	}
}

func TestRequestJSON(t *testing.T) {
	got := AppendRequestJSON(nil, []model.Batch{{Process: model.Process{Service: "shop"}, Spans: []model.Span{fullSpan(), shownBatches()[0].Spans[0]}}})
	var tree struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Scope struct{ Name, Version string }
				Spans []struct {
					TraceID, SpanID, ParentSpanID, StartTimeUnixNano string
					Kind                                             int
					Status                                           struct {
						Code    int
						Message string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(got, &tree); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	scopes := tree.ResourceSpans[0].ScopeSpans
	if len(scopes) != 2 || scopes[0].Scope.Name != "" || scopes[1].Scope.Name != "otelhttp" || scopes[1].Scope.Version != "0.60" {
		t.Fatalf("scopes: %+v", scopes)
	}
	s := scopes[0].Spans[0]
	if s.TraceID != "f123456789abcdef8000000000000001" || s.SpanID != "ffffffffffffffff" || s.ParentSpanID != "0000000000000007" ||
		s.StartTimeUnixNano != "1772600767123456789" || s.Kind != 2 || s.Status.Code != 2 || s.Status.Message != "went boom" {
		t.Errorf("span: %+v", s)
	}
	if string(AppendRequestJSON(nil, nil)) != `{"resourceSpans":[]}` {
		t.Error("no batches")
	}
}

func FuzzDecodeRequestJSON(f *testing.F) {
	f.Add([]byte(sdkJSON))
	f.Fuzz(func(t *testing.T, body []byte) {
		batches, err := DecodeRequestJSON(body, model.DecodeLimits{})
		if err != nil {
			return
		}
		again := AppendRequestJSON(nil, batches)
		if got, err := DecodeRequestJSON(again, model.DecodeLimits{}); err != nil || len(got) != len(batches) {
			t.Fatalf("%v, %d batches, want %d\n%s", err, len(got), len(batches), again)
		}
	})
}

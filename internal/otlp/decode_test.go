package otlp

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/model"
)

func pbAny(v any) *commonpb.AnyValue {
	switch v := v.(type) {
	case string:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v}}
	case bool:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: v}}
	case int:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: int64(v)}}
	case float64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}}
	case []byte:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BytesValue{BytesValue: v}}
	case []*commonpb.AnyValue:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: v}}}
	case []*commonpb.KeyValue:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_KvlistValue{KvlistValue: &commonpb.KeyValueList{Values: v}}}
	}
	return &commonpb.AnyValue{}
}

// sdkRequest is what an OpenTelemetry SDK exports: two resources, two scopes, one failed span with everything.
func sdkRequest() *tracepb.TracesData {
	start := uint64(testStart.UnixNano())
	failed := &tracepb.Span{
		TraceId: id16(testTrace), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 2}, ParentSpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1},
		TraceState: "v=1", Flags: 0x303, Name: "GET /", Kind: tracepb.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: start, EndTimeUnixNano: start + 1500,
		Attributes: []*commonpb.KeyValue{
			pbStr("http.request.method", "GET"), {Key: "retries", Value: pbAny(3)}, {Key: "raw", Value: pbAny([]byte{1, 2})}, {Key: "none"},
			{Key: "list", Value: pbAny([]*commonpb.AnyValue{pbAny("a\""), pbAny(1), pbAny(true), pbAny(0.5), pbAny([]byte{255}), pbAny(nil), pbAny(math.NaN())})},
			{Key: "map", Value: pbAny([]*commonpb.KeyValue{{Key: "k", Value: pbAny([]*commonpb.AnyValue{})}, {Key: "n"}})},
			{Value: pbAny("no key")},
		},
		DroppedAttributesCount: 4,
		Events:                 []*tracepb.Span_Event{{TimeUnixNano: start + 5, Name: "exception", Attributes: []*commonpb.KeyValue{pbStr("exception.type", "E")}}},
		Links: []*tracepb.Span_Link{
			{TraceId: id16(model.TraceID{Low: 7}), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 8}, TraceState: "x=1"},
			{}, // names nothing
		},
		Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "boom"},
	}
	ok := &tracepb.Span{TraceId: id16(testTrace), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 3}, Name: "ok", StartTimeUnixNano: start, EndTimeUnixNano: start - 1,
		Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_OK}}
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{
		{
			Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{pbStr("telemetry.sdk.language", "go"), pbStr("service.name", "cart")}},
			ScopeSpans: []*tracepb.ScopeSpans{
				{Scope: &commonpb.InstrumentationScope{Name: "otelhttp", Version: "0.60"}, Spans: []*tracepb.Span{failed}, SchemaUrl: "https://x"},
				{Spans: []*tracepb.Span{ok}},
			},
		},
		{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{ok}}}},
	}}
}

func shownBatches() []model.Batch {
	failed := model.Span{
		TraceID: testTrace, SpanID: 2, ParentID: 1, TraceState: "v=1", Flags: 1, Random: true, Name: "GET /", Start: testStart, Duration: 1500,
		Tags: []model.Tag{
			str("http.request.method", "GET"), {Key: "retries", Value: model.Int(3)}, {Key: "raw", Value: model.Bytes([]byte{1, 2})}, str("none", ""),
			str("list", `["a\"",1,true,0.5,"/w==",null,"NaN"]`), str("map", `{"k":[],"n":null}`),
			str("span.kind", "client"), {Key: "error", Value: model.Bool(true)}, str("otel.status_code", "ERROR"),
			str("otel.status_description", "boom"), str("otel.scope.name", "otelhttp"), str("otel.scope.version", "0.60"),
		},
		Logs: []model.Log{{Time: testStart.Add(5), Fields: []model.Tag{str("event", "exception"), str("exception.type", "E")}}},
		Refs: []model.Ref{{Type: model.FollowsFrom, TraceID: model.TraceID{Low: 7}, SpanID: 8}},
	}
	ok := model.Span{TraceID: testTrace, SpanID: 3, Name: "ok", Start: testStart, Tags: []model.Tag{str("otel.status_code", "OK")}}
	return []model.Batch{
		{Process: model.Process{Service: "cart", Tags: []model.Tag{str("telemetry.sdk.language", "go")}}, Spans: []model.Span{failed, ok}},
		{Process: model.Process{Service: "unknown_service"}, Spans: []model.Span{ok}},
	}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeWhatSDKsSend(t *testing.T) {
	got, err := DecodeRequest(marshal(t, sdkRequest()), model.DecodeLimits{})
	if diff := gocmp.Diff(shownBatches(), got, sameValue, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// Protobuf lets fields come in any order and messages in pieces.
func TestDecodeFieldsInAnyOrder(t *testing.T) {
	req := sdkRequest()
	rs := req.ResourceSpans[0]
	scope := marshal(t, &tracepb.ScopeSpans{Scope: rs.ScopeSpans[0].Scope})
	spans := marshal(t, &tracepb.ScopeSpans{Spans: rs.ScopeSpans[0].Spans})
	bytesField := func(dst []byte, num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(dst, num, protowire.BytesType), b)
	}
	var body []byte
	body = bytesField(body, 2, append(spans, scope...))
	body = bytesField(body, 2, marshal(t, rs.ScopeSpans[1]))
	for _, kv := range rs.Resource.Attributes {
		body = bytesField(body, 1, marshal(t, &resourcepb.Resource{Attributes: []*commonpb.KeyValue{kv}}))
	}
	got, err := DecodeRequest(bytesField(nil, 1, body), model.DecodeLimits{})
	if diff := gocmp.Diff(shownBatches()[:1], got, sameValue, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func requestWith(span *tracepb.Span) *tracepb.TracesData {
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}}}}}
}

func nested(depth int) *commonpb.AnyValue {
	v := pbAny("core")
	for range depth {
		v = pbAny([]*commonpb.AnyValue{v})
	}
	return v
}

func TestDecodeRefusesBadSpans(t *testing.T) {
	id8 := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	for name, span := range map[string]*tracepb.Span{
		"no ids":               {Name: "x"},
		"zero trace id":        {TraceId: make([]byte, 16), SpanId: id8},
		"zero span id":         {TraceId: id16(testTrace), SpanId: make([]byte, 8)},
		"long trace id":        {TraceId: make([]byte, 17), SpanId: id8},
		"short span id":        {TraceId: id16(testTrace), SpanId: id8[:7]},
		"short parent id":      {TraceId: id16(testTrace), SpanId: id8, ParentSpanId: id8[:3]},
		"short id in a link":   {TraceId: id16(testTrace), SpanId: id8, Links: []*tracepb.Span_Link{{TraceId: id8}}},
		"value nested to 33":   {TraceId: id16(testTrace), SpanId: id8, Attributes: []*commonpb.KeyValue{{Key: "k", Value: nested(33)}}},
		"value nested to 1000": {TraceId: id16(testTrace), SpanId: id8, Attributes: []*commonpb.KeyValue{{Key: "k", Value: nested(1000)}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeRequest(marshal(t, requestWith(span)), model.DecodeLimits{}); err == nil || got != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		})
	}
	fine := &tracepb.Span{TraceId: id16(testTrace), SpanId: id8, Attributes: []*commonpb.KeyValue{{Key: "k", Value: nested(32)}}}
	got, err := DecodeRequest(marshal(t, requestWith(fine)), model.DecodeLimits{})
	if want := strings.Repeat("[", 32) + `"core"` + strings.Repeat("]", 32); err != nil || got[0].Spans[0].Tags[0].Value.Str() != want {
		t.Errorf("32 deep: %v %v", got, err)
	}
}

func TestDecodeBrokenBytes(t *testing.T) {
	body := marshal(t, sdkRequest())
	for n := 1; n < len(body); n++ {
		DecodeRequest(body[:n], model.DecodeLimits{})
		body[n] ^= 1 << (n % 8)
		DecodeRequest(body, model.DecodeLimits{})
		body[n] ^= 1 << (n % 8)
	}
	for name, body := range map[string]string{
		"cut": "\x0a\x05\x12", "2 GiB": "\x0a\xff\xff\xff\xff\x07x", "endless varint": "\x0a" + strings.Repeat("\xff", 20), "field 0": "\x02\x00",
		"unclosed group": "\x0b", "wire type 7": "\x0f",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeRequest([]byte(body), model.DecodeLimits{}); err == nil {
				t.Errorf("%s: taken as %v", name, got)
			}
		})
	}
	for name, body := range map[string]string{"empty": "", "unknown field": "\x9a\x06\x01x", "wrong type": "\x08\x01", "a group": "\x0b\x0c"} {
		t.Run(name, func(t *testing.T) {
			if got, err := DecodeRequest([]byte(body), model.DecodeLimits{}); err != nil || len(got) != 0 {
				t.Errorf("%s: %v %v", name, got, err)
			}
		})
	}
}

func TestDecodeRepairsText(t *testing.T) {
	s := model.Span{TraceID: testTrace, SpanID: 1, Name: "GET /"}
	body := AppendRequest(nil, &model.Process{Service: "s"}, [][]byte{AppendSpan(nil, &s)})
	body = []byte(strings.Replace(string(body), "service.name", "service.n\xffme", 1))
	body = []byte(strings.Replace(string(body), "GET /", "GET\xff/", 1))
	got, err := DecodeRequest(body, model.DecodeLimits{})
	if err != nil || got[0].Spans[0].Name != "GET\uFFFD/" || got[0].Process.Tags[0].Key != "service.n\uFFFDme" {
		t.Errorf("%v %v", got, err)
	}
}

func TestTimesBeyondAllClocksAreBounded(t *testing.T) {
	span := &tracepb.Span{TraceId: id16(testTrace), SpanId: id16(testTrace)[:8], StartTimeUnixNano: 5, EndTimeUnixNano: math.MaxUint64,
		Events: []*tracepb.Span_Event{{TimeUnixNano: math.MaxUint64}}}
	got, err := DecodeRequest(marshal(t, requestWith(span)), model.DecodeLimits{})
	if err != nil {
		t.Fatal(err)
	}
	if s := got[0].Spans[0]; s.Duration != math.MaxInt64-5 || !s.Logs[0].Time.Equal(time.Unix(0, math.MaxInt64)) {
		t.Errorf("%+v", s)
	}
}

func TestDecodingKeepsToItsLimits(t *testing.T) {
	s := fullSpan()
	spans := make([][]byte, 10)
	batch := model.Batch{Process: *testProcess()}
	for i := range spans {
		spans[i] = AppendSpan(nil, &s)
		batch.Spans = append(batch.Spans, s)
	}
	for encoding, decode := range map[string]func(model.DecodeLimits) ([]model.Batch, error){
		"protobuf": func(lim model.DecodeLimits) ([]model.Batch, error) {
			return DecodeRequest(AppendRequest(nil, testProcess(), spans), lim)
		},
		"JSON": func(lim model.DecodeLimits) ([]model.Batch, error) {
			return DecodeRequestJSON(AppendRequestJSON(nil, []model.Batch{batch}), lim)
		},
	} {
		t.Run(encoding, func(t *testing.T) {
			for name, lim := range map[string]model.DecodeLimits{"spans": {Spans: 9}, "memory": {Memory: 4096}} {
				t.Run(name, func(t *testing.T) {
					if got, err := decode(lim); !errors.Is(err, model.ErrTooLarge) || got != nil {
						t.Errorf("%s, %s: %v, %v", encoding, name, got, err)
					}
				})
			}
			got, err := decode(model.DecodeLimits{Spans: 10, Tags: 3, Logs: 1, Refs: 1, ValueBytes: 20})
			if err != nil {
				t.Fatal(encoding, err)
			}
			span := got[0].Spans[9]
			if len(span.Tags) != 3 || len(span.Logs) != 1 || len(span.Refs) != 1 || len(span.Tags[0].Value.Str()) > 20 {
				t.Errorf("%s: over the limits: %+v", encoding, span)
			}
		})
	}
}

// What a request takes in memory is bounded however small its parts are.
func TestDecodeMemoryIsBounded(t *testing.T) {
	emptySpan := appendSpanID(appendTraceID(nil, spanTraceID, testTrace), spanSpanID, 1)
	span, at := begin(nil, scopeSpansSpans)
	span = append(span, emptySpan...)
	for range 100 {
		span = append(span, 0x5a, 0) // an event of no bytes
	}
	span = end(span, at)
	many := make([][]byte, 50_000)
	for i := range many {
		many[i] = span
	}
	body := AppendRequest(nil, testProcess(), many)
	const memory = 8 << 20
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := DecodeRequest(body, model.DecodeLimits{Memory: memory}); !errors.Is(err, model.ErrTooLarge) {
				b.Fatal(err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 8*memory {
		t.Errorf("%d MiB allocated to decode %d MiB with a limit of %d MiB", got>>20, len(body)>>20, memory>>20)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add(marshal(f, sdkRequest()))
	s := fullSpan()
	f.Add(AppendRequest(nil, testProcess(), [][]byte{AppendSpan(nil, &s)}))
	f.Fuzz(func(t *testing.T, body []byte) {
		first, err := DecodeRequest(body, model.DecodeLimits{})
		if err != nil {
			return
		}
		// What was read can be written, for any reader of protobuf, and means the same.
		bytes := protobufOf(first)
		if err := proto.Unmarshal(bytes, &tracepb.TracesData{}); err != nil {
			t.Fatalf("cannot be read: %v\n%x", err, bytes)
		}
		second, err := DecodeRequest(bytes, model.DecodeLimits{})
		if err != nil || len(second) != len(first) {
			t.Fatalf("%v, %d batches, want %d", err, len(second), len(first))
		}
		json, err := DecodeRequestJSON(AppendRequestJSON(nil, second), model.DecodeLimits{})
		if err != nil || len(json) != len(first) {
			t.Fatalf("JSON: %v, %d batches, want %d", err, len(json), len(first))
		}
	})
}

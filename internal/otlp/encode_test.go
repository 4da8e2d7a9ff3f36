package otlp

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/spanloom/spanloom/internal/model"
)

var (
	testStart = time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.UTC)
	testTrace = model.TraceID{High: 0xf123456789abcdef, Low: 0x8000000000000001}
)

func str(k, v string) model.Tag { return model.Tag{Key: k, Value: model.String(v)} }

func testProcess() *model.Process {
	return &model.Process{Service: "shop", Tags: []model.Tag{
		str("host.name", "h1"), {Key: "process.pid", Value: model.Int(4711)}, str("service.name", "ignored"),
	}}
}

func fullSpan() model.Span {
	return model.Span{
		TraceID: testTrace, SpanID: math.MaxUint64, ParentID: 7, Flags: 3, Random: true, Name: "GET /näme", TraceState: "a=1,b=2",
		Start: testStart, Duration: 42*time.Millisecond + 1,
		Tags: []model.Tag{
			str("span.kind", "server"), {Key: "error", Value: model.Bool(true)}, str("otel.status_description", "went boom"),
			str("s", strings.Repeat("long", 200)), str("empty", ""), {Key: "no", Value: model.Bool(false)},
			{Key: "i", Value: model.Int(-1)}, {Key: "d", Value: model.Float(-1.5)}, {Key: "b", Value: model.Bytes([]byte{0, 255, 3})},
		},
		Logs: []model.Log{
			{Time: testStart.Add(1), Fields: []model.Tag{str("message", "boom"), str("event", "error"), str("stack", "main.go:1")}},
			{Time: testStart.Add(2), Fields: []model.Tag{str("message", "hello")}, DroppedFields: 4},
		},
		Dropped: model.Dropped{Tags: 74, Logs: 2, Refs: 300, Fields: 4, Values: 5},
		Refs: []model.Ref{
			{Type: model.FollowsFrom, TraceID: model.TraceID{Low: 2}, SpanID: 3},
			{Type: model.ChildOf, TraceID: testTrace, SpanID: 8},
		},
	}
}

func id16(id model.TraceID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, id.High), id.Low)
}

func pbStr(k, v string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: k, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: v}}}
}

func fullSpanProto() *tracepb.Span {
	start := uint64(testStart.UnixNano())
	return &tracepb.Span{
		TraceId: id16(testTrace), SpanId: []byte{255, 255, 255, 255, 255, 255, 255, 255}, ParentSpanId: []byte{0, 0, 0, 0, 0, 0, 0, 7},
		TraceState: "a=1,b=2", Name: "GET /näme", Kind: tracepb.Span_SPAN_KIND_SERVER, Flags: 3,
		StartTimeUnixNano: start, EndTimeUnixNano: start + 42000001,
		Attributes: []*commonpb.KeyValue{
			pbStr("s", strings.Repeat("long", 200)), pbStr("empty", ""),
			{Key: "no", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{}}},
			{Key: "i", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: -1}}},
			{Key: "d", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: -1.5}}},
			{Key: "b", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_BytesValue{BytesValue: []byte{0, 255, 3}}}},
		},
		Events: []*tracepb.Span_Event{
			{TimeUnixNano: start + 1, Name: "error", Attributes: []*commonpb.KeyValue{pbStr("message", "boom"), pbStr("stack", "main.go:1")}},
			{TimeUnixNano: start + 2, Name: "log", Attributes: []*commonpb.KeyValue{pbStr("message", "hello")}, DroppedAttributesCount: 4},
		},
		DroppedAttributesCount: 74, DroppedEventsCount: 2, DroppedLinksCount: 300,
		Links: []*tracepb.Span_Link{
			{TraceId: id16(model.TraceID{Low: 2}), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 3}, Attributes: []*commonpb.KeyValue{pbStr("opentracing.ref_type", "follows_from")}},
			{TraceId: id16(testTrace), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 8}, Attributes: []*commonpb.KeyValue{pbStr("opentracing.ref_type", "child_of")}},
		},
		Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "went boom"},
	}
}

func TestRequestMeansWhatTheModelSays(t *testing.T) {
	full, empty := fullSpan(), model.Span{TraceID: model.TraceID{Low: 5}, SpanID: 6, Start: testStart}
	body := AppendRequest([]byte("head"), testProcess(), [][]byte{AppendSpan(nil, &full), AppendSpan([]byte{}, &empty)})
	var got tracepb.TracesData
	if err := proto.Unmarshal(body[len("head"):], &got); err != nil {
		t.Fatal(err)
	}
	start := uint64(testStart.UnixNano())
	want := &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{
			pbStr("service.name", "shop"), pbStr("host.name", "h1"),
			{Key: "process.pid", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: 4711}}},
		}},
		ScopeSpans: []*tracepb.ScopeSpans{{
			Scope: &commonpb.InstrumentationScope{Name: "github.com/spanloom/spanloom"},
			Spans: []*tracepb.Span{fullSpanProto(), {
				TraceId: id16(model.TraceID{Low: 5}), SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 6}, Kind: tracepb.Span_SPAN_KIND_INTERNAL,
				StartTimeUnixNano: start, EndTimeUnixNano: start,
			}},
		}},
	}}}
	if diff := cmp.Diff(want, &got, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func decodeSpan(t *testing.T, s *model.Span) *tracepb.Span {
	t.Helper()
	var got tracepb.TracesData
	if err := proto.Unmarshal(AppendRequest(nil, &model.Process{}, [][]byte{AppendSpan(nil, s)}), &got); err != nil {
		t.Fatal(err)
	}
	return got.ResourceSpans[0].ScopeSpans[0].Spans[0]
}

func TestErrorsBecomeStatuses(t *testing.T) {
	isError := model.Tag{Key: "error", Value: model.Bool(true)}
	for _, tt := range []struct {
		name  string
		tags  []model.Tag
		code  int32
		msg   string
		attrs int
	}{
		{"none", nil, 0, "", 0},
		{"error", []model.Tag{isError}, 2, "", 0},
		{"error described", []model.Tag{str("otel.status_description", "d"), isError}, 2, "d", 0},
		{"not an error", []model.Tag{{Key: "error", Value: model.Bool(false)}}, 0, "", 1},
		{"text true", []model.Tag{str("error", "true")}, 2, "", 1},
		{"text", []model.Tag{str("error", "disk full")}, 0, "", 1},
		{"ok", []model.Tag{str("otel.status_code", "OK")}, 1, "", 0},
		{"lower-case", []model.Tag{str("otel.status_code", "error"), str("otel.status_description", "d")}, 2, "d", 1},
		{"error beats ok", []model.Tag{str("otel.status_code", "OK"), isError}, 2, "", 1},
		{"description alone", []model.Tag{str("otel.status_description", "d")}, 0, "", 1},
		{"number", []model.Tag{{Key: "otel.status_code", Value: model.Int(2)}}, 0, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := decodeSpan(t, &model.Span{TraceID: testTrace, SpanID: 1, Tags: tt.tags})
			if int32(got.GetStatus().GetCode()) != tt.code || got.GetStatus().GetMessage() != tt.msg || len(got.Attributes) != tt.attrs {
				t.Errorf("%s: %v, attributes %v; want code %d, message %q, %d attributes", tt.name, got.Status, got.Attributes, tt.code, tt.msg, tt.attrs)
			}
		})
	}
}

func TestErrorLogDescribesTheStatus(t *testing.T) {
	isError := model.Tag{Key: "error", Value: model.Bool(true)}
	logs := []model.Log{
		{Fields: []model.Tag{str("event", "error"), str("message", "first")}},
		{Fields: []model.Tag{str("message", "boom"), str("event", "error")}},
		{Fields: []model.Tag{str("event", "note"), str("message", "unrelated")}},
	}
	for _, tt := range []struct {
		tags []model.Tag
		want string
	}{
		{[]model.Tag{isError}, "boom"}, {[]model.Tag{isError, str("otel.status_description", "told")}, "told"}, {nil, ""},
		{[]model.Tag{isError, str("otel.status_description", "boom")}, "boom"}, {[]model.Tag{str("otel.status_code", "OK")}, ""},
	} {
		t.Run(fmt.Sprint(tt.tags), func(t *testing.T) {
			got := decodeSpan(t, &model.Span{TraceID: testTrace, SpanID: 1, Tags: tt.tags, Logs: logs})
			if message := got.GetStatus().GetMessage(); message != tt.want || len(got.Attributes) != 0 {
				t.Errorf("%v: message %q, want %q, and attributes %v, want none", tt.tags, message, tt.want, got.Attributes)
			}
		})
	}
}

func TestKindsBecomeThoseOfOTLP(t *testing.T) {
	for value, want := range map[string]struct {
		kind  tracepb.Span_SpanKind
		attrs int
	}{
		"client": {tracepb.Span_SPAN_KIND_CLIENT, 0}, "server": {tracepb.Span_SPAN_KIND_SERVER, 0},
		"producer": {tracepb.Span_SPAN_KIND_PRODUCER, 0}, "consumer": {tracepb.Span_SPAN_KIND_CONSUMER, 0},
		"internal": {tracepb.Span_SPAN_KIND_INTERNAL, 0}, "Server": {tracepb.Span_SPAN_KIND_SERVER, 1},
		"": {tracepb.Span_SPAN_KIND_INTERNAL, 1}, "job": {tracepb.Span_SPAN_KIND_INTERNAL, 1},
	} {
		t.Run("span.kind "+value, func(t *testing.T) {
			got := decodeSpan(t, &model.Span{TraceID: testTrace, SpanID: 1, Tags: []model.Tag{str("span.kind", value)}})
			if got.Kind != want.kind || len(got.Attributes) != want.attrs {
				t.Errorf("span.kind=%q: %v %v", value, got.Kind, got.Attributes)
			}
		})
	}
}

func TestNoSpanSpoilsARequest(t *testing.T) {
	s := model.Span{
		TraceID: testTrace, SpanID: 1, Name: "a\xff", TraceState: "\xff", Start: time.Unix(-5, 0), Duration: math.MaxInt64,
		Tags: []model.Tag{str("\xc3(", "\xff"), str("otel.status_description", "\xff"), str("otel.status_code", "OK")},
		Logs: []model.Log{{Fields: []model.Tag{str("event", "\xff")}}},
	}
	got := decodeSpan(t, &s)
	if got.Name != "a\uFFFD" || got.TraceState != "\uFFFD" || got.Status.Message != "\uFFFD" || got.Events[0].Name != "\uFFFD" {
		t.Errorf("text: %v", got)
	}
	if got.StartTimeUnixNano != 0 || got.EndTimeUnixNano != math.MaxInt64 || got.Events[0].TimeUnixNano != 0 {
		t.Errorf("times: %v", got)
	}
	s.Start, s.Duration = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), -1
	if got = decodeSpan(t, &s); got.StartTimeUnixNano != math.MaxInt64 || got.EndTimeUnixNano != math.MaxInt64 {
		t.Errorf("late times: %v", got)
	}
}

func TestOverheadIsEnough(t *testing.T) {
	s := fullSpan()
	one := AppendSpan(nil, &s)
	for _, n := range []int{0, 1, 30000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			spans := make([][]byte, n)
			for i := range spans {
				spans[i] = one
			}
			got, limit := len(AppendRequest(nil, testProcess(), spans))-n*len(one), Overhead(testProcess())
			if got > limit || got < limit-20 {
				t.Errorf("%d spans: %d bytes added, Overhead %d", n, got, limit)
			}
		})
	}
}

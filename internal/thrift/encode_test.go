package thrift

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apache "github.com/uber/jaeger-client-go/thrift"
	"github.com/uber/jaeger-client-go/thrift-gen/agent"
	"github.com/uber/jaeger-client-go/thrift-gen/jaeger"

	"github.com/spanloom/spanloom/internal/model"
)

var testStart = time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)

func testProcess() *model.Process {
	return &model.Process{Service: "shop", Tags: []model.Tag{
		{Key: "host.name", Value: model.String("h1")}, {Key: "process.pid", Value: model.Int(4711)},
	}}
}

func testSpans() []model.Span {
	id := model.TraceID{High: 0xf123456789abcdef, Low: 0x8000000000000001}
	var many []model.Tag
	for i := range 40 {
		many = append(many, model.Tag{Key: fmt.Sprint("tag", i), Value: model.Int(int64(i) - 20)})
	}
	return []model.Span{
		{TraceID: model.TraceID{Low: 5}, SpanID: 5, Flags: 1, Name: "GET /", Start: testStart, Duration: time.Second},
		{
			TraceID: id, SpanID: math.MaxUint64, ParentID: 7, Flags: 3, Name: "näme", Start: testStart, Duration: 42 * time.Microsecond,
			Tags: []model.Tag{
				{Key: "s", Value: model.String("x")}, {Key: "empty", Value: model.String("")},
				{Key: "t", Value: model.Bool(true)}, {Key: "f", Value: model.Bool(false)},
				{Key: "i", Value: model.Int(math.MinInt64)}, {Key: "d", Value: model.Float(-1.5)},
				{Key: "b", Value: model.Bytes([]byte{0, 255, 3})},
			},
			Logs: []model.Log{
				{Time: testStart.Add(time.Millisecond), Fields: []model.Tag{{Key: "event", Value: model.String("error")}}},
				{Time: testStart.Add(2 * time.Millisecond), Fields: many},
			},
			Refs: []model.Ref{{Type: model.FollowsFrom, TraceID: model.TraceID{High: 1, Low: 2}, SpanID: 3}},
		},
		{TraceID: id, SpanID: 9, ParentID: 7, Name: strings.Repeat("long", 100), Start: testStart, Tags: many,
			Refs: []model.Ref{{Type: model.FollowsFrom, TraceID: id, SpanID: 7}}},
	}
}

// jaegerBatch says in jaeger-client-go's own types what p and spans say.
func jaegerBatch(p *model.Process, spans []model.Span) *jaeger.Batch {
	b := &jaeger.Batch{Process: &jaeger.Process{ServiceName: p.Service, Tags: jaegerTags(p.Tags)}, Spans: []*jaeger.Span{}}
	for _, s := range spans {
		js := &jaeger.Span{
			TraceIdLow: int64(s.TraceID.Low), TraceIdHigh: int64(s.TraceID.High), SpanId: int64(s.SpanID),
			ParentSpanId: int64(s.ParentID), OperationName: s.Name, Flags: int32(s.Flags),
			StartTime: s.Start.UnixMicro(), Duration: s.Duration.Microseconds(), Tags: jaegerTags(s.Tags),
		}
		if s.ParentID == 7 && (len(s.Refs) == 0 || s.Refs[0].SpanID != 7) {
			js.References = append(js.References, &jaeger.SpanRef{RefType: jaeger.SpanRefType_CHILD_OF,
				TraceIdLow: js.TraceIdLow, TraceIdHigh: js.TraceIdHigh, SpanId: 7})
		}
		for _, r := range s.Refs {
			js.References = append(js.References, &jaeger.SpanRef{RefType: jaeger.SpanRefType(r.Type),
				TraceIdLow: int64(r.TraceID.Low), TraceIdHigh: int64(r.TraceID.High), SpanId: int64(r.SpanID)})
		}
		for _, l := range s.Logs {
			js.Logs = append(js.Logs, &jaeger.Log{Timestamp: l.Time.UnixMicro(), Fields: jaegerTags(l.Fields)})
		}
		b.Spans = append(b.Spans, js)
	}
	return b
}

func jaegerTags(tags []model.Tag) (out []*jaeger.Tag) {
	for _, t := range tags {
		jt := &jaeger.Tag{Key: t.Key}
		switch v := t.Value; v.Kind() {
		case model.KindString:
			s := v.Str()
			jt.VType, jt.VStr = jaeger.TagType_STRING, &s
		case model.KindBool:
			b := v.Bool()
			jt.VType, jt.VBool = jaeger.TagType_BOOL, &b
		case model.KindInt:
			i := v.Int()
			jt.VType, jt.VLong = jaeger.TagType_LONG, &i
		case model.KindFloat:
			d := v.Float()
			jt.VType, jt.VDouble = jaeger.TagType_DOUBLE, &d
		case model.KindBytes:
			jt.VType, jt.VBinary = jaeger.TagType_BINARY, []byte(v.Str())
		}
		out = append(out, jt)
	}
	return out
}

func encodeAll(spans []model.Span, appendSpan func([]byte, *model.Span) []byte) (out [][]byte) {
	for i := range spans {
		out = append(out, appendSpan(nil, &spans[i]))
	}
	return out
}

func TestBatchBinaryIsWhatJaegerClientWrites(t *testing.T) {
	p, spans := testProcess(), testSpans()
	buf := apache.NewTMemoryBuffer()
	if err := jaegerBatch(p, spans).Write(context.Background(), apache.NewTBinaryProtocolConf(buf, nil)); err != nil {
		t.Fatal(err)
	}
	got := AppendBatchBinary([]byte("head"), p, encodeAll(spans, AppendSpanBinary))
	if diff := cmp.Diff(hex.Dump(append([]byte("head"), buf.Bytes()...)), hex.Dump(got)); diff != "" {
		t.Errorf("-jaeger-client-go +ours:\n%s", diff)
	}
}

func TestEmitBatchIsWhatJaegerClientSends(t *testing.T) {
	p, spans := testProcess(), testSpans()
	buf := apache.NewTMemoryBuffer()
	client := agent.NewAgentClientFactory(buf, apache.NewTCompactProtocolFactoryConf(nil))
	if err := client.EmitBatch(context.Background(), jaegerBatch(p, spans)); err != nil {
		t.Fatal(err)
	}
	got := AppendEmitBatchCompact(nil, p, encodeAll(spans, AppendSpanCompact))
	const sequenceNumber = 2 // nobody answers a one-way call
	buf.Bytes()[sequenceNumber] = got[sequenceNumber]
	if diff := cmp.Diff(hex.Dump(buf.Bytes()), hex.Dump(got)); diff != "" {
		t.Errorf("-jaeger-client-go +ours:\n%s", diff)
	}
}

func TestOverheadIsEnough(t *testing.T) {
	p := testProcess()
	one := model.Span{TraceID: model.TraceID{Low: 1}, SpanID: 1}
	for _, n := range []int{0, 1, 14, 15, 200, 20000} {
		t.Run(fmt.Sprintf("%d spans", n), func(t *testing.T) {
			compact, binary := AppendSpanCompact(nil, &one), AppendSpanBinary(nil, &one)
			gotCompact := len(AppendEmitBatchCompact(nil, p, repeat(compact, n))) - n*len(compact)
			gotBinary := len(AppendBatchBinary(nil, p, repeat(binary, n))) - n*len(binary)
			if limit := EmitBatchOverhead(p); gotCompact > limit || gotCompact < limit-8 {
				t.Errorf("%d spans: emitBatch adds %d bytes, EmitBatchOverhead %d", n, gotCompact, limit)
			}
			if gotBinary != BinaryOverhead(p) {
				t.Errorf("%d spans: batch adds %d bytes, BinaryOverhead %d", n, gotBinary, BinaryOverhead(p))
			}
		})
	}
}

func repeat(b []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func TestTextIsMadeValid(t *testing.T) {
	s := model.Span{TraceID: model.TraceID{Low: 1}, SpanID: 1, Name: "a\xffb",
		TraceState: "k=v", Tags: []model.Tag{{Key: "k\xfe", Value: model.String("\xc3(")}}}
	body := AppendBatchBinary(nil, &model.Process{Service: "s\x80"}, [][]byte{AppendSpanBinary(nil, &s)})
	var got jaeger.Batch
	buf := apache.NewTMemoryBuffer()
	buf.Write(body)
	if err := got.Read(context.Background(), apache.NewTBinaryProtocolConf(buf, nil)); err != nil {
		t.Fatal(err)
	}
	js := got.Spans[0]
	if js.OperationName != "a\uFFFDb" || js.Tags[0].Key != "k\uFFFD" || *js.Tags[0].VStr != "\uFFFD(" || got.Process.ServiceName != "s\uFFFD" {
		t.Errorf("not made UTF-8: %v", got)
	}
	if js.Tags[1].Key != "w3c.tracestate" || *js.Tags[1].VStr != "k=v" {
		t.Errorf("tracestate: %v", js.Tags[1])
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	spans := testSpans()
	buf := make([]byte, 0, 1<<16)
	for name, f := range map[string]func([]byte, *model.Span) []byte{"compact": AppendSpanCompact, "binary": AppendSpanBinary} {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, func() { f(buf, &spans[1]) }); n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestDroppedCountsAreTags(t *testing.T) {
	s := model.Span{
		TraceID: model.TraceID{Low: 1}, SpanID: 2, Dropped: model.Dropped{Tags: 74, Logs: 3, Refs: 2, Fields: 9},
		Logs: []model.Log{{Fields: []model.Tag{{Key: "event", Value: model.String("x")}}, DroppedFields: 9}},
	}
	batches, err := DecodeBatchBinary(AppendBatchBinary(nil, testProcess(), encodeAll([]model.Span{s}, AppendSpanBinary)), model.DecodeLimits{})
	if err != nil {
		t.Fatal(err)
	}
	got := batches.Spans[0]
	count := func(key string, n int64) model.Tag { return model.Tag{Key: key, Value: model.Int(n)} }
	want := []model.Tag{count("otel.dropped_attributes_count", 74), count("otel.dropped_events_count", 3), count("otel.dropped_links_count", 2)}
	if !slices.Equal(got.Tags, want) {
		t.Errorf("tags %v, want %v", got.Tags, want)
	}
	if f := got.Logs[0].Fields; len(f) != 2 || f[1] != count("otel.dropped_attributes_count", 9) {
		t.Errorf("fields %v", f)
	}
}

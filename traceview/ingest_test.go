package traceview_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/thrift"
	"github.com/spanloom/spanloom/traceview"
)

func otlpRequest(t *testing.T, names ...string) []byte {
	t.Helper()
	ss := &wire.ScopeSpans{}
	for i, name := range names {
		sid := binary.BigEndian.AppendUint64(nil, uint64(i+1))
		ss.Spans = append(ss.Spans, &wire.Span{TraceId: append(make([]byte, 8), 0, 0, 0, 0, 0, 0, 0x12, 0x34), SpanId: sid, Name: name,
			StartTimeUnixNano: uint64(noon.UnixNano()), EndTimeUnixNano: uint64(noon.Add(ms(5)).UnixNano()), Kind: wire.Span_SPAN_KIND_SERVER})
	}
	b, err := proto.Marshal(&wire.TracesData{ResourceSpans: []*wire.ResourceSpans{{
		Resource:   &resource.Resource{Attributes: []*common.KeyValue{{Key: "service.name", Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "billing"}}}}},
		ScopeSpans: []*wire.ScopeSpans{ss},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

const otlpJSON = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"billing"}}]},"scopeSpans":[{"spans":[
	{"traceId":"00000000000000000000000000001234","spanId":"0000000000000001","name":"charge","startTimeUnixNano":"1773489600000000000","endTimeUnixNano":"1773489600005000000"}]}]}]}`

func thriftBatch() []byte {
	s := model.Span{TraceID: model.TraceID{Low: 0x1234}, SpanID: 1, Name: "charge", Start: noon, Duration: ms(5)}
	return thrift.AppendBatchBinary(nil, &model.Process{Service: "billing"}, [][]byte{thrift.AppendSpanBinary(nil, &s)})
}

func TestSpansOfOtherProgramsComeIn(t *testing.T) {
	proto := otlpRequest(t, "charge")
	for name, c := range map[string]struct {
		path, kind, encoding string
		body                 []byte
		status               int
		answerKind           string
	}{
		"OTLP protobuf":      {"v1/traces", "application/x-protobuf", "", proto, 200, "application/x-protobuf"},
		"OTLP protobuf gzip": {"v1/traces", "application/x-protobuf", "gzip", zipped(proto), 200, "application/x-protobuf"},
		"OTLP JSON":          {"v1/traces", "application/json; charset=utf-8", "", []byte(otlpJSON), 200, "application/json"},
		"OTLP JSON gzip":     {"v1/traces", "application/json", "gzip", zipped([]byte(otlpJSON)), 200, "application/json"},
		"thrift":             {"api/traces?format=jaeger.thrift", "application/x-thrift", "", thriftBatch(), 202, ""},
		"thrift, full name":  {"api/traces", "application/vnd.apache.thrift.binary", "gzip", zipped(thriftBatch()), 202, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			w := call(v, "POST", "/debug/traces/"+c.path, bytes.NewReader(c.body), "Content-Type", c.kind, "Content-Encoding", c.encoding)
			if w.Code != c.status || w.Header().Get("Content-Type") != c.answerKind {
				t.Fatalf("%d %s %q, want %d %s", w.Code, w.Header().Get("Content-Type"), w.Body, c.status, c.answerKind)
			}
			answer := get(t, v, "/debug/traces/api/traces/1234")
			contains(t, answer, `"operationName":"charge"`)
			contains(t, answer, `"duration":5000`)
			contains(t, answer, `"serviceName":"billing"`)
		})
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	proto := otlpRequest(t, "charge")
	for name, c := range map[string]struct {
		path, kind, encoding string
		body                 []byte
		status               int
	}{
		"truncated protobuf":   {"v1/traces", "application/x-protobuf", "", proto[:len(proto)-3], 400},
		"broken JSON":          {"v1/traces", "application/json", "", []byte(otlpJSON[:90]), 400},
		"JSON as protobuf":     {"v1/traces", "application/x-protobuf", "", []byte(otlpJSON), 400},
		"text":                 {"v1/traces", "text/plain", "", []byte("hello"), 415},
		"no type":              {"v1/traces", "", "", proto, 415},
		"unknown encoding":     {"v1/traces", "application/x-protobuf", "zstd", proto, 415},
		"not gzip":             {"v1/traces", "application/x-protobuf", "gzip", proto, 400},
		"bomb":                 {"v1/traces", "application/x-protobuf", "gzip", zipped(make([]byte, traceview.MaxBody+1)), 413},
		"too long":             {"v1/traces", "application/json", "", bytes.Repeat([]byte(" "), traceview.MaxBody+1), 413},
		"truncated thrift":     {"api/traces", "application/x-thrift", "", thriftBatch()[:30], 400},
		"thrift of 2^31 spans": {"api/traces", "application/x-thrift", "", []byte{15, 0, 2, 12, 0x7f, 0xff, 0xff, 0xff}, 400},
		"thrift as text":       {"api/traces", "text/plain", "", thriftBatch(), 415},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			w := call(v, "POST", "/debug/traces/"+c.path, bytes.NewReader(c.body), "Content-Type", c.kind, "Content-Encoding", c.encoding)
			if w.Code != c.status || w.Body.Len() == 0 {
				t.Errorf("%d %q, want %d and a reason", w.Code, w.Body, c.status)
			}
			if traceview.CountsOf(v).Received != 0 {
				t.Error("a span was stored")
			}
			contains(t, get(t, v, "/debug/traces/"), "1 request with spans refused")
		})
	}
}

func TestRejectedSpansAreReported(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxSpans - 1) {
		put(t, v, "billing", model.Span{TraceID: model.TraceID{Low: 0x1234}, SpanID: n + 100, Name: "fill", Start: noon})
	}
	w := call(v, "POST", "/debug/traces/v1/traces", bytes.NewReader(otlpRequest(t, "a", "b", "c")), "Content-Type", "application/x-protobuf")
	if n, _, err := otlp.PartialSuccess(w.Body.Bytes()); n != 2 || err != nil || w.Code != 200 {
		t.Errorf("%d, %d rejected, %v, want 200 and 2", w.Code, n, err)
	}
}

// endless is a body without end: each Read returns more of it.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	e.n += len(p)
	return len(p), nil
}

func TestBodyIsNotReadBeyondTheLimit(t *testing.T) {
	v := newView(t, traceview.Config{})
	body := &endless{}
	w := call(v, "POST", "/debug/traces/v1/traces", io.Reader(body), "Content-Type", "application/json")
	if w.Code != http.StatusRequestEntityTooLarge || body.n > 2*traceview.MaxBody {
		t.Errorf("%d after %d bytes, want 413 after about %d", w.Code, body.n, traceview.MaxBody)
	}
}

func TestDownloadedOTLPComesInAgain(t *testing.T) {
	v, other := newView(t, traceview.Config{}), newView(t, traceview.Config{})
	trace := shopTrace(t, v)
	file := get(t, v, "/debug/traces/trace/"+traceHex(trace)+"/otlp.json")
	w := call(other, "POST", "/debug/traces/v1/traces", strings.NewReader(file), "Content-Type", "application/json")
	if w.Code != 200 || traceview.CountsOf(other).Spans != 4 {
		t.Fatalf("%d %s, %d spans, want 4", w.Code, w.Body, traceview.CountsOf(other).Spans)
	}
	if diff := cmp.Diff(outline(t, v, trace), outline(t, other, trace)); diff != "" {
		t.Errorf("the trace has another shape (-before +after)\n%s", diff)
	}
}

func TestBombIsNotUnpacked(t *testing.T) {
	v := newView(t, traceview.Config{})
	bomb := bytes.Repeat(zipped(make([]byte, traceview.MaxBody/16)), 64) // of four times the limit
	body := bytes.NewReader(bomb)
	w := call(v, "POST", "/debug/traces/v1/traces", body, "Content-Type", "application/json", "Content-Encoding", "gzip")
	if read := len(bomb) - body.Len(); w.Code != 413 || read > len(bomb)/2 {
		t.Errorf("%d after %d of %d bytes, want 413 after about a quarter", w.Code, read, len(bomb))
	}
}

// TestZipkinTagsOfOtherTypes has values that are no texts, which some clients write. They cost no span.
func TestZipkinTagsOfOtherTypes(t *testing.T) {
	v := newView(t, traceview.Config{})
	w := call(v, "POST", "/debug/traces/api/v2/spans", strings.NewReader(`[{"traceId":"1234","id":"1","name":"charge",
		"localEndpoint":{"serviceName":"billing","port":"80"},"remoteEndpoint":{"port":"5432"},
		"tags":{"retries":3,"cached":true,"list":[1, 2],"nothing":null,"error":true}}]`), "Content-Type", "application/json")
	if w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	answer := get(t, v, "/debug/traces/api/traces/1234")
	for _, want := range []string{
		`"key":"retries","type":"string","value":"3"`, `"key":"cached","type":"string","value":"true"`, `"value":"[1, 2]"`,
		`"key":"peer.port","type":"string","value":"5432"`, `"key":"error","type":"bool","value":true`,
	} {
		contains(t, answer, want)
	}
	w = call(v, "POST", "/debug/traces/api/v2/spans", strings.NewReader(`[{"traceId":7}]`), "Content-Type", "application/json")
	if w.Code != 400 || !strings.Contains(w.Body.String(), "traceId is a number") || strings.Contains(w.Body.String(), "Go struct") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opentracing/opentracing-go"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/transport"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/testspans"
)

// request is an OTLP request of one span: on the wire, TracesData is an ExportTraceServiceRequest.
func request(service, name string, trace byte) *tracepb.TracesData {
	now := uint64(time.Now().UnixNano())
	return &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{{
			Key: "service.name", Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: service}},
		}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			TraceId: bytes.Repeat([]byte{trace}, 16), SpanId: bytes.Repeat([]byte{trace}, 8), Name: name,
			StartTimeUnixNano: now, EndTimeUnixNano: now + 5e6,
		}}}},
	}}}
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestOTLPOverHTTP(t *testing.T) {
	p := startProgram(t)
	for _, port := range []string{"OTLP over HTTP", "page"} {
		if status, answer := p.post(port, "/v1/traces", "application/x-protobuf", encoded(t, request("shop", "by "+port[:4], port[0]))); status != 200 {
			t.Errorf("%s: %d %s", port, status, answer)
		}
		p.until("/", "by "+port[:4])
	}
	if status, answer := p.post("OTLP over HTTP", "/v1/metrics", "application/x-protobuf", nil); status != 404 || !strings.Contains(answer, "OTEL_METRICS_EXPORTER=none") {
		t.Errorf("metrics: %d %s", status, answer)
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = zip.Write(make([]byte, 1<<20))
	}
	_ = zip.Close()
	if status, answer := p.post("OTLP over HTTP", "/v1/traces", "application/x-protobuf", bomb.Bytes(), "Content-Encoding", "gzip"); status != 413 {
		t.Errorf("64 MiB in %d bytes: %d %.100s", bomb.Len(), status, answer)
	}
}

func TestOTLPOverGRPC(t *testing.T) {
	p := startProgram(t)
	export := func(m proto.Message, call []grpc.CallOption, opts ...grpc.DialOption) error {
		conn, err := grpc.NewClient("passthrough:///"+p.addr["OTLP over gRPC"], append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", m, &tracepb.TracesData{}, call...)
	}
	for i, call := range [][]grpc.CallOption{nil, {grpc.UseCompressor(grpcgzip.Name)}} {
		if err := export(request("shop", "by gRPC", byte(i+1)), call); err != nil {
			t.Fatal(err)
		}
	}
	p.until("/", "by gRPC")
	if !strings.Contains(p.page("/"), "2 traces") {
		t.Error("not both requests are there")
	}
	if err := export(request("shop", "x", 9), nil, grpc.WithAuthority("evil.example")); status.Code(err) != codes.PermissionDenied {
		t.Errorf("from a page with a name of its own: %v", err)
	}
	bad := &tracepb.TracesData{}
	bad.ProtoReflect().SetUnknown([]byte{0x0a, 0x05, 0x01})
	if err := export(bad, nil); status.Code(err) != codes.InvalidArgument {
		t.Errorf("malformed: %v", err)
	}
	if err := export(request("shop", strings.Repeat("x", maxMessage), 8), nil); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("too long: %v", err)
	}
}

func TestMetricsOverGRPCAreRefusedWithAdvice(t *testing.T) {
	p := startProgram(t)
	conn, err := grpc.NewClient("passthrough:///"+p.addr["OTLP over gRPC"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Invoke(t.Context(), "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", request("x", "x", 1), &tracepb.TracesData{})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "OTEL_METRICS_EXPORTER=none") {
		t.Error(err)
	}
}

// TestStockJaegerClient sends spans as every program that uses jaeger-client-go does.
func TestStockJaegerClient(t *testing.T) {
	p := startProgram(t)
	udp, err := jaeger.NewUDPTransport(p.addr["Jaeger agent, compact"], 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, sender := range map[string]jaeger.Transport{
		"udp":  udp,
		"http": transport.NewHTTPTransport("http://" + p.addr["Jaeger thrift over HTTP"] + "/api/traces"),
	} {
		tracer, closer := jaeger.NewTracer("stock-"+name, jaeger.NewConstSampler(true), jaeger.NewRemoteReporter(sender), testspans.Finished(t))
		root := tracer.StartSpan("root by " + name)
		tracer.StartSpan("child by "+name, opentracing.ChildOf(root.Context()), opentracing.Tag{Key: "n", Value: 7}).Finish()
		root.Finish()
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
		p.until("/", "root by "+name)
		p.until("/api/traces?service=stock-"+name, "child by "+name)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// A stock client that leaves its sampler to the backend, as most do, samples every trace.
func TestStockJaegerClientsSampleEverything(t *testing.T) {
	p := startProgram(t)
	for name, url := range map[string]string{
		"agent": "http://" + p.addr["Jaeger sampling"] + "/sampling", "collector": "http://" + p.addr["Jaeger thrift over HTTP"] + "/api/sampling",
	} {
		t.Run(name, func(t *testing.T) {
			sampler := jaeger.NewRemotelyControlledSampler("svc", jaeger.SamplerOptions.SamplingServerURL(url),
				jaeger.SamplerOptions.SamplingRefreshInterval(time.Hour), jaeger.SamplerOptions.InitialSampler(jaeger.NewConstSampler(false)))
			sampler.UpdateSampler()
			if s, ok := sampler.Sampler().(*jaeger.ProbabilisticSampler); !ok || s.SamplingRate() != 1 {
				t.Errorf("%v", sampler.Sampler())
			}
			sampler.Close()
		})
	}
	for path, want := range map[string]string{"/?service=x": `"strategyType":0`, "/baggageRestrictions?service=x": "[]", "/sampling": "service is missing"} {
		t.Run(path, func(t *testing.T) {
			resp, err := http.Get("http://" + p.addr["Jaeger sampling"] + path)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if !strings.Contains(string(body), want) {
				t.Errorf("%s", body)
			}
		})
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// binaryDatagram is what jaeger-client-node sends to port 6832: emitBatch in the binary protocol, with one span.
const binaryDatagram = "\x80\x01\x00\x04\x00\x00\x00\x09emitBatch\x00\x00\x00\x01\x0c\x00\x01" +
	"\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x04node\x00" + // Process: serviceName
	"\x0f\x00\x02\x0c\x00\x00\x00\x01" + // one span
	"\x0a\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07\x0a\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00" + // trace id
	"\x0a\x00\x03\x00\x00\x00\x00\x00\x00\x00\x07\x0a\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00" + // span and parent id
	"\x0b\x00\x05\x00\x00\x00\x06binary\x08\x00\x07\x00\x00\x00\x01" + // name, flags
	"\x0a\x00\x08\x00\x06\x24\x00\x00\x00\x00\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05\x00" + // start, duration
	"\x00\x00"

func TestAgentTakesTheBinaryProtocolAndSurvivesNoise(t *testing.T) {
	p := startProgram(t)
	for _, port := range []string{"Jaeger agent, compact", "Jaeger agent, binary"} {
		conn, err := net.Dial("udp", p.addr[port])
		if err != nil {
			t.Fatal(err)
		}
		for _, datagram := range []string{"", "\x00", "noise", strings.Repeat("\xff", 1000), binaryDatagram[:40], binaryDatagram} {
			if _, err := conn.Write([]byte(datagram)); err != nil {
				t.Fatal(err)
			}
		}
		conn.Close()
	}
	p.until("/", "binary")
	p.until("/", "refused")
}

func TestSpansInZipkinsJSONAreShown(t *testing.T) {
	p := startProgram(t)
	status, answer := p.post("Zipkin JSON over HTTP", "/api/v2/spans", "application/json", []byte(`[
		{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"a2fb4a1d1a96d312","name":"get /z","kind":"SERVER","timestamp":1472470996199000,"duration":207000,
		 "localEndpoint":{"serviceName":"frontend"},"tags":{"http.method":"GET","error":"boom"},"annotations":[{"timestamp":1472470996238000,"value":"asked"}]},
		{"traceId":"463ac35c9f6413ad48485a3953bb6124","parentId":"a2fb4a1d1a96d312","id":"a2fb4a1d1a96d313","name":"query","localEndpoint":{"serviceName":"backend"}}]`))
	if status != 202 {
		t.Fatal(status, answer)
	}
	p.until("/", "get /z")
	p.until("/?q=error+service%3Dfrontend+asked", "boom")
	if status, _ := p.post("Zipkin JSON over HTTP", "/api/v2/spans", "application/json", []byte(`[{"id":1}]`)); status != 400 {
		t.Error("malformed:", status)
	}
	if status, answer := p.post("Zipkin JSON over HTTP", "/api/v1/spans", "application/json", []byte(`[]`)); status != 404 || !strings.Contains(answer, "version 2") {
		t.Errorf("version 1: %d %s", status, answer)
	}
}

package bench

import (
	"context"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"
	"github.com/uber/jaeger-client-go/thrift"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/otlp"
	spanthrift "github.com/spanloom/spanloom/internal/thrift"
)

// serverSpan is a finished span with a server's tags, one log and a remote parent.
func serverSpan(tb testing.TB) *jaeger.Span {
	t, _ := stockTracer(tb, true)
	parent, err := t.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(request(jaegerHeaders(modes[2])).Header))
	if err != nil {
		tb.Fatal(err)
	}
	s := t.StartSpan("GET /users/{id}", ext.RPCServerOption(parent))
	for _, a := range serverTags {
		s.SetTag(a.key, a.value)
	}
	s.LogFields(log.Event("error"), log.String("error.kind", "timeout"), log.Message("deadline exceeded"))
	s.Finish()
	return s.(*jaeger.Span)
}

var serverTags = []struct {
	key   string
	value any
}{
	{"component", "net/http"}, {"http.method", "GET"}, {"http.url", "http://example.com/users/42"},
	{"http.route", "/users/{id}"}, {"http.status_code", 504}, {"http.user_agent", "curl/8.5.0"},
	{"peer.address", "192.0.2.7:51234"}, {"http.response_size", 2}, {"error", true}, {"error.type", "504"},
}

func BenchmarkEncode(b *testing.B) {
	b.Run("otlp/spanloom", func(b *testing.B) {
		span, buf := serverSpan(b), []byte(nil)
		var l fromjaeger.Loader
		measure(b, func() {
			l.Load(span)
			buf = otlp.AppendSpan(buf[:0], &l.Span)
		})
	})
	b.Run("otlp/opentelemetry", func(b *testing.B) {
		spans, exp := otelSpan(), &marshaller{}
		e := otlptrace.NewUnstarted(exp)
		measure(b, func() { _ = e.ExportSpans(context.Background(), spans) })
	})
	b.Run("thrift-compact/spanloom", func(b *testing.B) {
		span, buf := serverSpan(b), []byte(nil)
		var l fromjaeger.Loader
		measure(b, func() {
			l.Load(span)
			buf = spanthrift.AppendSpanCompact(buf[:0], &l.Span)
		})
	})
	b.Run("thrift-compact/jaeger-client-go", func(b *testing.B) {
		span, buf := serverSpan(b), thrift.NewTMemoryBufferLen(1<<12)
		p := thrift.NewTCompactProtocolConf(buf, &thrift.TConfiguration{})
		measure(b, func() {
			buf.Reset()
			_ = jaeger.BuildJaegerThrift(span).Write(context.Background(), p)
		})
	})
}

// marshaller is an otlptrace.Client that stops at the bytes.
type marshaller struct{ bytes int }

func (m *marshaller) Start(context.Context) error { return nil }
func (m *marshaller) Stop(context.Context) error  { return nil }
func (m *marshaller) UploadTraces(_ context.Context, rs []*tracepb.ResourceSpans) error {
	out, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: rs})
	m.bytes = len(out)
	return err
}

func otelSpan() []sdktrace.ReadOnlySpan {
	rec := tracetest.NewSpanRecorder()
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(rec))
	_, s := tp.Tracer("bench").Start(context.Background(), "GET /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	for _, a := range serverTags {
		switch v := a.value.(type) {
		case string:
			s.SetAttributes(attribute.String(a.key, v))
		case int:
			s.SetAttributes(attribute.Int(a.key, v))
		case bool:
			s.SetAttributes(attribute.Bool(a.key, v))
		}
	}
	s.AddEvent("error", trace.WithAttributes(attribute.String("error.kind", "timeout"), attribute.String("message", "deadline exceeded")))
	s.End()
	return rec.Ended()
}

func TestEncodersWriteTheSpan(t *testing.T) {
	m := &marshaller{}
	if err := otlptrace.NewUnstarted(m).ExportSpans(context.Background(), otelSpan()); err != nil || m.bytes < 300 {
		t.Errorf("OpenTelemetry wrote %d bytes: %v", m.bytes, err)
	}
	var l fromjaeger.Loader
	l.Load(serverSpan(t))
	if n := len(otlp.AppendSpan(nil, &l.Span)); n < 300 || len(l.Span.Tags) != len(serverTags)+1 {
		t.Errorf("spanloom wrote %d bytes, %d tags", n, len(l.Span.Tags))
	}
}

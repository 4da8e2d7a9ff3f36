package otlp_test

import (
	"errors"
	"testing"

	"github.com/opentracing/opentracing-go"
	"github.com/opentracing/opentracing-go/ext"
	"github.com/opentracing/opentracing-go/log"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/fromjaeger"
	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
	"github.com/spanloom/spanloom/internal/testspans"
)

// serverSpan is a failed request as the HTTP middleware records it: 11 tags, one log, a remote parent.
func serverSpan(tb testing.TB) *jaeger.Span {
	tracer, closer := jaeger.NewTracer("shop", jaeger.NewConstSampler(true), jaeger.NewNullReporter(),
		jaeger.TracerOptions.Gen128Bit(true), testspans.Finished(tb))
	tb.Cleanup(func() { closer.Close() })
	parent, err := tracer.Extract(opentracing.TextMap, opentracing.TextMapCarrier{
		"uber-trace-id": "f123456789abcdef8000000000000001:7:0:1",
	})
	if err != nil {
		tb.Fatal(err)
	}
	span := tracer.StartSpan("GET /users/{id}", opentracing.ChildOf(parent), ext.SpanKindRPCServer)
	span.SetTag("component", "net/http").SetTag("http.method", "GET").SetTag("http.route", "/users/{id}").
		SetTag("http.url", "http://shop.example/users/42?q=1").SetTag("http.status_code", uint16(500)).
		SetTag("peer.ipv4", "10.0.0.1").SetTag("peer.port", uint16(4711)).SetTag("http.response_size", int64(1234)).
		SetTag("http.user_agent", "curl/8").SetTag("error", true)
	span.LogFields(log.Event("error"), log.String("error.kind", "*errors.errorString"), log.Error(errors.New("boom")))
	span.Finish()
	return span.(*jaeger.Span)
}

func TestSpanToBytesAllocations(t *testing.T) {
	span := serverSpan(t)
	l := fromjaeger.Loader{Limits: model.Limits{Tags: 128, Logs: 128, Fields: 128, ValueBytes: 4096}}
	buf := make([]byte, 0, 4096)
	convert := func() {
		l.Load(span)
		buf = otlp.AppendSpan(buf[:0], &l.Span)
	}
	convert()
	if scratch := l.Span; len(scratch.Tags) != 11 || len(scratch.Logs) != 1 || scratch.ParentID != 7 {
		t.Fatalf("not the span meant: %+v", scratch)
	}
	n := testing.AllocsPerRun(1000, convert)
	t.Logf("%v allocations", n)
	if n > 4 {
		t.Errorf("%v allocations from a finished span to its bytes, at most 4 allowed", n)
	}
}

func BenchmarkSpanToBytes(b *testing.B) {
	span := serverSpan(b)
	var l fromjaeger.Loader
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		l.Load(span)
		buf = otlp.AppendSpan(buf[:0], &l.Span)
	}
	b.SetBytes(int64(len(buf)))
}

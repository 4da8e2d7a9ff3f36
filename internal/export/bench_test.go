package export

import (
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

func serverSpan() *model.Span {
	tag := func(k string, v any) model.Tag { return model.Tag{Key: k, Value: model.ValueOf(v, 0)} }
	return &model.Span{
		TraceID: model.TraceID{High: 1, Low: 2}, SpanID: 3, Name: "GET /items/{id}", Tags: []model.Tag{
			tag("span.kind", "server"), tag("component", "net/http"), tag("http.method", "GET"), tag("http.url", "/items/42"),
			tag("http.status_code", 200), tag("peer.port", 80),
		},
	}
}

func otlpBackend() *backend { return &backend{encode: otlp.AppendSpan} }

func BenchmarkEnqueue(b *testing.B) {
	p, s := start(b, otlpBackend(), Queue{Overflow: DropOldest}), serverSpan()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p.Enqueue(s)
		}
	})
}

func TestEnqueueAllocatesNothing(t *testing.T) {
	p, s := start(t, otlpBackend(), Queue{Size: 100, Overflow: DropOldest}), serverSpan()
	if n := testing.AllocsPerRun(5000, func() { p.Enqueue(s) }); n > 0.5 && !raceEnabled { // the worker may run meanwhile; a sync.Pool forgets at random under the race detector
		t.Errorf("%v allocations for each span", n)
	}
}

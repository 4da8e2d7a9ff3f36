package export

import (
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/internal/otlp"
)

func BenchmarkOffer(b *testing.B) {
	p := start(b, &backend{}, Queue{})
	s := newMaker(b).span("GET /items/{id}", map[string]any{"http.method": "GET", "http.status_code": 200})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p.Offer(s)
		}
	})
}

func TestOfferAllocatesNothing(t *testing.T) {
	p := start(t, &backend{}, Queue{Size: 100, Overflow: DropOldest})
	s := newMaker(t).span("x", nil)
	if n := testing.AllocsPerRun(5000, func() { p.Offer(s) }); n > 0.5 { // the worker may run meanwhile
		t.Errorf("%v allocations for each span", n)
	}
}

// TestASpanToOTLPBytesIsCheap drives the worker's own code: what a span costs from the queue to the bytes of a batch.
func TestASpanToOTLPBytesIsCheap(t *testing.T) {
	b := &backend{encode: func(dst []byte, s *model.Span) []byte { return otlp.AppendSpan(dst, s) }}
	p := start(t, b, Queue{})
	s := newMaker(t).span("GET /items/{id}", map[string]any{
		"span.kind": "server", "component": "net/http", "http.method": "GET", "http.url": "/items/42", "http.status_code": 200, "peer.port": 80,
	})
	if err := p.Shutdown(within(t, time.Second)); err != nil { // the worker is gone, its code is ours
		t.Fatal(err)
	}
	w := &worker{Pipeline: p, max: b.MaxBytes(), target: targetBytes}
	n := testing.AllocsPerRun(1000, func() {
		w.buf = w.buf[:0]
		if err := w.encode(s); err != nil {
			t.Fatal(err)
		}
	})
	if n > 4 {
		t.Errorf("%v allocations; at most 4 wanted", n)
	}
	t.Logf("%v allocations, %d bytes", n, len(w.buf))
}

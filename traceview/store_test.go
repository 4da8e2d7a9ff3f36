package traceview

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
)

func root(n uint64, start time.Time, d time.Duration, tags ...model.Tag) model.Span {
	return model.Span{TraceID: id(n), SpanID: n, Name: "GET /", Start: start, Duration: d, Tags: tags}
}

func keptIDs(v *View) map[uint64]bool {
	found, _ := v.store.find(&filter{}, 0)
	ids := map[uint64]bool{}
	for _, s := range found {
		ids[s.id.Low] = true
	}
	return ids
}

func TestOldestTracesGoFirst(t *testing.T) {
	v := newView(t, Config{MaxTraces: 50})
	for n := range uint64(200) {
		put(t, v, "shop", root(n+1, noon.Add(time.Duration(n)), ms(5)))
	}
	ids := keptIDs(v)
	if len(ids) > 50 {
		t.Fatalf("%d traces kept, limit is 50", len(ids))
	}
	for n := uint64(160); n <= 200; n++ {
		if !ids[n] {
			t.Errorf("trace %d of 200 is gone", n)
		}
	}
	if v.store.totals.evictedTraces != 150 || v.store.totals.evictedSpans != 150 {
		t.Errorf("evicted %+v, want 150 traces of one span", v.store.totals)
	}
}

func TestErrorsAndSlowestAreKeptLonger(t *testing.T) {
	v := newView(t, Config{MaxTraces: 50})
	put(t, v, "shop", root(1, noon, ms(5), failed))
	put(t, v, "shop", root(2, noon, ms(9000)))
	put(t, v, "shop", root(3, noon, ms(1)))
	for n := range uint64(1000) {
		put(t, v, "shop", root(n+10, noon, ms(2+int(n%5))))
	}
	ids := keptIDs(v)
	if !ids[1] || !ids[2] {
		t.Errorf("failed trace kept: %v, slowest trace kept: %v, want both", ids[1], ids[2])
	}
	if ids[3] {
		t.Error("an old trace that is neither failed nor slow is still there")
	}
}

func TestErrorsDoNotCrowdOutTheLatest(t *testing.T) {
	v := newView(t, Config{MaxTraces: 50})
	for n := range uint64(500) {
		put(t, v, "shop", root(n+1, noon, ms(5), failed))
	}
	for n := range uint64(20) {
		put(t, v, "shop", root(n+1001, noon, time.Microsecond))
	}
	ids := keptIDs(v)
	for n := uint64(1001); n <= 1020; n++ {
		if !ids[n] {
			t.Errorf("good trace %d is gone, though failed traces hold more than half", n)
		}
	}
}

func TestMemoryStaysWithinMaxBytes(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, Config{MaxBytes: limit})
	for n := range uint64(5000) {
		s := root(n%700+1, noon, ms(5), tag("q", fmt.Sprintf("%0200d", n)))
		s.SpanID = n + 1
		if n%3 == 0 {
			s.Tags = append(s.Tags, failed)
		}
		put(t, v, "shop", s)
		if v.store.bytes > limit {
			t.Fatalf("%d bytes after %d spans, limit is %d", v.store.bytes, n, limit)
		}
	}
	check(t, v)
}

// check recounts what the store counts as it goes.
func check(t *testing.T, v *View) {
	t.Helper()
	s := v.store
	bytes, kept, spans := 0, 0, 0
	for _, p := range s.processes {
		bytes += p.bytes
	}
	for _, tr := range s.traces {
		bytes += tr.bytes
		spans += len(tr.spans)
		if tr.retained {
			kept += tr.bytes
		}
		if tr.slow < 0 {
			t.Errorf("trace %v is among the slowest %d times", tr.id, tr.slow)
		}
	}
	if bytes != s.bytes || kept != s.retainedBytes || spans != s.totals.spans || s.regular.Len()+s.retained.Len() != len(s.traces) {
		t.Errorf("store counts %d bytes, %d kept, %d spans, %d+%d traces; they are %d, %d, %d, %d",
			s.bytes, s.retainedBytes, s.totals.spans, s.regular.Len(), s.retained.Len(), bytes, kept, spans, len(s.traces))
	}
	tt := s.totals
	if tt.received != tt.spans+tt.evictedSpans+tt.cut+tt.duplicates {
		t.Errorf("received %d, but kept %d + evicted %d + cut %d + twice %d", tt.received, tt.spans, tt.evictedSpans, tt.cut, tt.duplicates)
	}
}

func TestEstimateOfMemoryIsClose(t *testing.T) {
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	for _, c := range []struct {
		name   string
		spans  uint64 // of each trace
		parent func(n uint64) uint64
	}{
		{"roots alone", 1, func(uint64) uint64 { return 0 }},
		{"parents here", 8, func(n uint64) uint64 { return n / 8 * 8 }},
		{"parents missing", 3, func(n uint64) uint64 { return n + 1<<20 }},
		{"parents missing, alone", 1, func(n uint64) uint64 { return n + 1<<20 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newView(t, Config{MaxBytes: 1 << 30, MaxTraces: 1 << 20})
			before := heap()
			for n := uint64(1); n <= 20_000; n++ {
				tags := make([]model.Tag, 0, 8) // as decoders make them
				put(t, v, "shop", model.Span{TraceID: id(n / c.spans), SpanID: n, ParentID: c.parent(n), Name: fmt.Sprintf("GET /%d", n%50), Start: noon, Duration: ms(int(n % 100)),
					Tags: append(tags, tag("http.url", fmt.Sprintf("/products/%d", n)), tag("span.kind", "server"), model.Tag{Key: "http.status_code", Value: model.Int(200)}),
					Logs: []model.Log{{Time: noon, Fields: []model.Tag{tag("event", fmt.Sprint(n))}}}})
			}
			get(t, v, "/debug/traces/")
			real, estimate := heap()-before, v.store.bytes
			t.Logf("heap %d, estimate %d", real, estimate)
			if estimate < real*9/10 || estimate > real*3/2 {
				t.Errorf("the store says %d bytes, the heap grew by %d", estimate, real)
			}
			runtime.KeepAlive(v)
		})
	}
}

func TestLateSpansJoin(t *testing.T) {
	v := newView(t, Config{})
	s := root(1, noon, ms(100))
	s.SpanID = 7
	put(t, v, "shop", s)
	for range 10 {
		put(t, v, "shop", root(2, noon, ms(1)))
	}
	put(t, v, "stock", model.Span{TraceID: id(1), SpanID: 8, ParentID: 7, Name: "late", Start: noon, Duration: ms(1)})
	snap, ok := v.store.get(id(1))
	if !ok || snap.spans != 2 || len(snap.services) != 2 {
		t.Fatalf("trace 1: %v %+v, want 2 spans of 2 services", ok, snap.summary)
	}
	if v.store.totals.duplicates != 9 {
		t.Errorf("%d duplicates, want the 9 that came again", v.store.totals.duplicates)
	}
	check(t, v)
}

func TestLongTraceIsCutAndSaysSo(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(maxSpans + 5) {
		kept := put(t, v, "shop", model.Span{TraceID: id(1), SpanID: n + 1, ParentID: n, Name: "step", Start: noon.Add(time.Duration(n)), Duration: ms(1)})
		if kept != (n < maxSpans) {
			t.Fatalf("span %d: kept %v", n+1, kept)
		}
	}
	check(t, v)
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1)))
	contains(t, page, "This trace was cut: 5 spans over the limit of 20000 spans")
	contains(t, get(t, v, "/debug/traces/"), "5 spans cut from long traces")
	contains(t, get(t, v, "/debug/traces/api/traces/"+traceHex(id(1))), "this trace was cut")
}

func TestOneTraceCannotTakeAllMemory(t *testing.T) {
	v := newView(t, Config{MaxBytes: 1 << 20})
	put(t, v, "shop", root(1, noon, ms(1)))
	for n := range uint64(3000) {
		put(t, v, "shop", model.Span{TraceID: id(2), SpanID: n + 1, Name: "step", Start: noon, Duration: ms(1), Tags: []model.Tag{tag("q", fmt.Sprintf("%01000d", n))}})
	}
	if !keptIDs(v)[1] {
		t.Error("a small trace had to go for one that grew over half of the memory")
	}
	check(t, v)
}

// What programs say of themselves takes memory, too, and may be different for each span.
func TestProcessesStayWithinMaxBytes(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, Config{MaxBytes: limit})
	for n := range uint64(400) {
		p := v.store.process(model.Process{Service: "job", Tags: []model.Tag{tag("args", fmt.Sprintf("%020000d", n))}})
		for _, trace := range []uint64{n + 2, 1} { // one alone, one in a trace that grows
			v.store.add(p, &model.Span{TraceID: id(trace), SpanID: n + 1, Start: noon}, 0)
		}
	}
	if held := len(v.store.processes) * 20_000; held > limit || v.store.bytes > limit || v.store.bytes < held {
		t.Errorf("the store counts %d bytes, processes alone take %d, the limit is %d", v.store.bytes, held, limit)
	}
	check(t, v)
	v.store.clear()
	if len(v.store.processes) != 0 {
		t.Errorf("%d processes are left after clear", len(v.store.processes))
	}
}

func TestOperationsAreBounded(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(maxOperations + 100) {
		s := root(n+1, noon, ms(1))
		s.Name = fmt.Sprint("op", n)
		put(t, v, "shop", s)
	}
	if len(v.store.operations) != maxOperations || v.store.totals.uncounted != 100 {
		t.Errorf("%d operations, %d spans uncounted, want %d and 100", len(v.store.operations), v.store.totals.uncounted, maxOperations)
	}
	contains(t, get(t, v, "/debug/traces/"), "100 spans beyond 1000 operations not counted")
	put(t, v, "shop", model.Span{
		TraceID: id(9000), SpanID: 1, Name: "one more", Start: noon, Tags: []model.Tag{{Key: "error", Value: model.Bool(true)}},
	})
	if shop := v.store.services["shop"]; shop.spans != maxOperations+101 || shop.failed != 1 {
		t.Errorf("the service has %d spans, %d failed; want %d and 1", shop.spans, shop.failed, maxOperations+101)
	}
}

func TestClearForgetsAll(t *testing.T) {
	v := newView(t, Config{})
	shopTrace(t, v)
	if w := call(v, "GET", "/debug/traces/clear", nil); w.Code != 405 {
		t.Errorf("GET clear: %d, want 405", w.Code)
	}
	if w := call(v, "POST", "/debug/traces/clear", nil); w.Code != 303 || w.Header().Get("Location") != "./" {
		t.Errorf("POST clear: %d to %q, want 303 to ./", w.Code, w.Header().Get("Location"))
	}
	if len(keptIDs(v)) != 0 || len(v.store.serviceNames()) != 0 || v.store.bytes != 0 {
		t.Error("something is left after clear")
	}
	check(t, v)
}

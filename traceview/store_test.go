package traceview_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func root(n uint64, start time.Time, d time.Duration, tags ...model.Tag) model.Span {
	return model.Span{TraceID: id(n), SpanID: n, Name: "GET /", Start: start, Duration: d, Tags: tags}
}

// keptIDs are the low halves of the ids of the traces that v lists.
func keptIDs(t *testing.T, v *traceview.View) map[uint64]bool {
	t.Helper()
	ids := map[uint64]bool{}
	for _, hex := range listed(t, v, fmt.Sprint("limit=", traceview.MaxListLimit)) {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		ids[n] = true
	}
	return ids
}

func TestOldestTracesGoFirst(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 50})
	for n := range uint64(200) {
		put(t, v, "shop", root(n+1, noon.Add(time.Duration(n)), ms(5)))
	}
	ids := keptIDs(t, v)
	if len(ids) > 50 {
		t.Fatalf("%d traces kept, limit is 50", len(ids))
	}
	for n := uint64(160); n <= 200; n++ {
		if !ids[n] {
			t.Errorf("trace %d of 200 is gone", n)
		}
	}
	if c := traceview.CountsOf(v); c.EvictedTraces != 150 || c.EvictedSpans != 150 {
		t.Errorf("evicted are %+v, want 150 traces of one span", c)
	}
}

func TestErrorsAndSlowestAreKeptLonger(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 50})
	put(t, v, "shop", root(1, noon, ms(5), failed))
	put(t, v, "shop", root(2, noon, ms(9000)))
	put(t, v, "shop", root(3, noon, ms(1)))
	for n := range uint64(1000) {
		put(t, v, "shop", root(n+10, noon, ms(2+int(n%5))))
	}
	ids := keptIDs(t, v)
	if !ids[1] || !ids[2] {
		t.Errorf("failed trace kept: %v, slowest trace kept: %v, want both", ids[1], ids[2])
	}
	if ids[3] {
		t.Error("an old trace that is neither failed nor slow is still there")
	}
}

func TestErrorsDoNotCrowdOutTheLatest(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 50})
	for n := range uint64(500) {
		put(t, v, "shop", root(n+1, noon, ms(5), failed))
	}
	for n := range uint64(20) {
		put(t, v, "shop", root(n+1001, noon, time.Microsecond))
	}
	ids := keptIDs(t, v)
	for n := uint64(1001); n <= 1020; n++ {
		if !ids[n] {
			t.Errorf("good trace %d is gone, though failed traces hold more than half", n)
		}
	}
}

func TestMemoryStaysWithinMaxBytes(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, traceview.Config{MaxBytes: limit})
	for n := range uint64(5000) {
		s := root(n%700+1, noon, ms(5), tag("q", fmt.Sprintf("%0200d", n)))
		s.SpanID = n + 1
		if n%3 == 0 {
			s.Tags = append(s.Tags, failed)
		}
		put(t, v, "shop", s)
		if bytes := traceview.CountsOf(v).Bytes; bytes > limit {
			t.Fatalf("%d bytes after %d spans, limit is %d", bytes, n, limit)
		}
	}
	check(t, v)
}

// check fails the test unless the counts of v are those of what it keeps.
func check(t *testing.T, v *traceview.View) {
	t.Helper()
	for _, difference := range traceview.Recount(v) {
		t.Error(difference)
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
			v := newView(t, traceview.Config{MaxBytes: 1 << 30, MaxTraces: 1 << 20})
			before := heap()
			for n := uint64(1); n <= 20_000; n++ {
				tags := make([]model.Tag, 0, 8) // as decoders make them
				put(t, v, "shop", model.Span{TraceID: id(n / c.spans), SpanID: n, ParentID: c.parent(n), Name: fmt.Sprintf("GET /%d", n%50), Start: noon, Duration: ms(int(n % 100)),
					Tags: append(tags, tag("http.url", fmt.Sprintf("/products/%d", n)), tag("span.kind", "server"), model.Tag{Key: "http.status_code", Value: model.Int(200)}),
					Logs: []model.Log{{Time: noon, Fields: []model.Tag{tag("event", fmt.Sprint(n))}}}})
			}
			get(t, v, "/debug/traces/")
			real, estimate := heap()-before, traceview.CountsOf(v).Bytes
			t.Logf("heap %d, estimate %d", real, estimate)
			if estimate < real*9/10 || estimate > real*3/2 {
				t.Errorf("the store says %d bytes, the heap grew by %d", estimate, real)
			}
			runtime.KeepAlive(v)
		})
	}
}

func TestLateSpansJoin(t *testing.T) {
	v := newView(t, traceview.Config{})
	s := root(1, noon, ms(100))
	s.SpanID = 7
	put(t, v, "shop", s)
	for range 10 {
		put(t, v, "shop", root(2, noon, ms(1)))
	}
	put(t, v, "stock", model.Span{TraceID: id(1), SpanID: 8, ParentID: 7, Name: "late", Start: noon, Duration: ms(1)})
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1)))
	for _, want := range []string{"<span>2 spans</span>", "shop <b>1</b>", "stock <b>1</b>"} {
		contains(t, page, want)
	}
	if n := traceview.CountsOf(v).Duplicates; n != 9 {
		t.Errorf("%d duplicates, want the 9 that came again", n)
	}
	check(t, v)
}

func TestLongTraceIsCutAndSaysSo(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxSpans + 5) {
		kept := put(t, v, "shop", model.Span{TraceID: id(1), SpanID: n + 1, ParentID: n, Name: "step", Start: noon.Add(time.Duration(n)), Duration: ms(1)})
		if kept != (n < traceview.MaxSpans) {
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
	v := newView(t, traceview.Config{MaxBytes: 1 << 20})
	put(t, v, "shop", root(1, noon, ms(1)))
	for n := range uint64(3000) {
		put(t, v, "shop", model.Span{TraceID: id(2), SpanID: n + 1, Name: "step", Start: noon, Duration: ms(1), Tags: []model.Tag{tag("q", fmt.Sprintf("%01000d", n))}})
	}
	if !keptIDs(t, v)[1] {
		t.Error("a small trace had to go for one that grew over half of the memory")
	}
	check(t, v)
}

// What programs say of themselves takes memory, too, and may be different for each span.
func TestProcessesStayWithinMaxBytes(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, traceview.Config{MaxBytes: limit})
	for n := range uint64(400) {
		p := model.Process{Service: "job", Tags: []model.Tag{tag("args", fmt.Sprintf("%020000d", n))}}
		for _, trace := range []uint64{n + 2, 1} { // one alone, one in a trace that grows
			traceview.Put(v, p, model.Span{TraceID: id(trace), SpanID: n + 1, Start: noon}, 0)
		}
	}
	c := traceview.CountsOf(v)
	if held := c.Processes * 20_000; held > limit || c.Bytes > limit || c.Bytes < held {
		t.Errorf("%d bytes are counted, processes alone take %d, the limit is %d", c.Bytes, held, limit)
	}
	check(t, v)
	call(v, "POST", "/debug/traces/clear", nil)
	if n := traceview.CountsOf(v).Processes; n != 0 {
		t.Errorf("%d processes are left after clear", n)
	}
}

func TestOperationsAreBounded(t *testing.T) {
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxOperations + 100) {
		s := root(n+1, noon, ms(1))
		s.Name = fmt.Sprint("op", n)
		put(t, v, "shop", s)
	}
	contains(t, get(t, v, "/debug/traces/operations"), "1,000 operations, first 100 shown")
	contains(t, get(t, v, "/debug/traces/"), "100 spans beyond 1000 operations not counted")
	put(t, v, "shop", model.Span{
		TraceID: id(9000), SpanID: 1, Name: "one more", Start: noon, Tags: []model.Tag{{Key: "error", Value: model.Bool(true)}},
	})
	contains(t, get(t, v, "/debug/traces/services"), `<td class="num">1,101</td><td class="num"><span class="badge err">`)
}

func TestClearForgetsAll(t *testing.T) {
	v := newView(t, traceview.Config{})
	shopTrace(t, v)
	if w := call(v, "GET", "/debug/traces/clear", nil); w.Code != 405 {
		t.Errorf("GET clear: %d, want 405", w.Code)
	}
	if w := call(v, "POST", "/debug/traces/clear", nil); w.Code != 303 || w.Header().Get("Location") != "./" {
		t.Errorf("POST clear: %d to %q, want 303 to ./", w.Code, w.Header().Get("Location"))
	}
	contains(t, get(t, v, "/debug/traces/api/services"), `{"data":[],`)
	if c := traceview.CountsOf(v); c.Traces != 0 || c.Bytes != 0 {
		t.Errorf("after clear, %+v is left", c)
	}
	check(t, v)
}

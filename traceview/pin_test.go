package traceview

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
)

func TestPinnedTracesStayWhenOthersMakeRoom(t *testing.T) {
	v := newView(t, Config{MaxTraces: 12})
	put(t, v, "shop", root(1, noon, 1)) // faster than all others, so that no rule but the pin keeps it
	put(t, v, "shop", root(2, noon, ms(1), failed))
	for _, n := range []uint64{1, 2} {
		if err := v.store.pin(id(n), true); err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint64(100) {
		put(t, v, "shop", root(n+10, noon, ms(1)))
		put(t, v, "shop", root(n+1000, noon, ms(1), failed))
	}
	for _, n := range []uint64{1, 2} {
		if !v.store.has(id(n)) {
			t.Errorf("pinned trace %d went to make room", n)
		}
	}
	if n := len(v.store.all()); n != 12 {
		t.Errorf("%d traces are kept, want 12", n)
	}
	if rows := listed(t, v, "q=pinned"); len(rows) != 2 {
		t.Errorf("the search for pinned traces lists %v", rows)
	}
	if rows := listed(t, v, "q=%21pinned"); len(rows) != 10 {
		t.Errorf("the search for traces that are not pinned lists %v", rows)
	}
	if err := v.store.pin(id(1), false); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(100) {
		put(t, v, "shop", root(n+2000, noon, ms(1)))
	}
	if v.store.has(id(1)) || !v.store.has(id(2)) {
		t.Error("the trace that was unpinned should go, and the other one stay")
	}
}

func TestPinsAreBounded(t *testing.T) {
	v := newView(t, Config{MaxTraces: 20, MaxBytes: 1 << 20})
	for n := range uint64(20) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
	}
	for n := range uint64(5) {
		if err := v.store.pin(id(n+1), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.store.pin(id(6), true); err == nil || !strings.Contains(err.Error(), "5 traces are pinned") {
		t.Errorf("the sixth of at most five: %v", err)
	}
	if err := v.store.pin(id(1), true); err != nil {
		t.Errorf("a trace that is pinned already: %v", err)
	}
	_ = v.store.pin(id(1), false)
	long := root(99, noon, ms(1), tag("x", strings.Repeat("x", 300_000)))
	put(t, v, "shop", long)
	if err := v.store.pin(id(99), true); err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("a trace of more than a quarter of the memory: %v", err)
	}
	if err := v.store.pin(id(12345), true); err == nil {
		t.Error("a trace that is not here was pinned")
	}
}

func TestPinnedTracesGrowWithinTheMemory(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, Config{MaxBytes: limit})
	for n := range uint64(4) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
		if err := v.store.pin(id(n+1), true); err != nil {
			t.Fatal(err)
		}
	}
	for k := range uint64(1000) {
		for n := range uint64(4) {
			put(t, v, "shop", model.Span{TraceID: id(n + 1), SpanID: k + 2, ParentID: 1, Name: "x", Start: noon, Tags: []model.Tag{tag("x", strings.Repeat("x", 1000))}})
		}
		if v.store.bytes > limit {
			t.Fatalf("%d bytes are kept, the limit is %d", v.store.bytes, limit)
		}
	}
}

func TestClearLeavesPinnedTraces(t *testing.T) {
	v := newView(t, Config{})
	shopTrace(t, v)
	put(t, v, "shop", root(7, noon, ms(1)))
	if err := v.store.pin(id(0x51), true); err != nil {
		t.Fatal(err)
	}
	before := v.store.traces[id(0x51)].bytes
	v.store.clear()
	if rows := listed(t, v, ""); len(rows) != 1 || rows[0] != "0051" {
		t.Fatalf("after clearing all: %v", rows)
	}
	if now := v.store.traces[id(0x51)]; now.bytes != before || len(now.spans) != 4 || v.store.totals.spans != 4 || v.store.bytes != now.bytes+now.processBytes {
		t.Errorf("%d bytes of the trace, %d spans, %d bytes in all", now.bytes, len(now.spans), v.store.bytes)
	}
	if n := v.store.clearable(); n != 1 {
		t.Errorf("%d traces can be brought back", n)
	}
	v.store.restore()
	if rows := listed(t, v, "sort=spans"); len(rows) != 2 {
		t.Errorf("after the undo: %v", rows)
	}
	v.store.clear()
	v.store.clear()
	if rows := listed(t, v, "q=pinned"); len(rows) != 1 {
		t.Errorf("after two more clears: %v", rows)
	}
}

func TestPinsAreSaved(t *testing.T) {
	v := newView(t, Config{})
	shopTrace(t, v)
	put(t, v, "shop", root(7, noon, ms(1)))
	if err := v.store.pin(id(7), true); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := v.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := newView(t, Config{})
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	if rows := listed(t, again, "q=pinned"); len(rows) != 1 || rows[0] != "0007" {
		t.Errorf("pinned after loading: %v", rows)
	}
}

func TestThePinButton(t *testing.T) {
	v := newView(t, Config{MaxTraces: 4})
	for n := range uint64(2) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
	}
	first, second := "/debug/traces/trace/"+traceHex(id(1)), "/debug/traces/trace/"+traceHex(id(2))
	const form = "application/x-www-form-urlencoded"
	contains(t, get(t, v, first), ">Pin</button>")
	w := call(v, "POST", first+"/pin", strings.NewReader("pinned=1"), "Content-Type", form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "../../trace/"+traceHex(id(1)) {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	contains(t, get(t, v, first), ">Unpin</button>")
	contains(t, get(t, v, "/debug/traces/"), ">pinned</span>")
	for accept, want := range map[string]string{"text/html": "<h1>Not pinned", "application/json": "1 trace is pinned"} {
		t.Run(accept, func(t *testing.T) {
			w := call(v, "POST", second+"/pin", strings.NewReader("pinned=1"), "Content-Type", form, "Accept", accept)
			if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	if w := call(v, "POST", first+"/pin", strings.NewReader("pinned="), "Content-Type", form, "Accept", "application/json"); w.Code != http.StatusNoContent {
		t.Errorf("unpin: %d", w.Code)
	}
	contains(t, get(t, v, first), ">Pin</button>")
	if w := call(v, "POST", first+"/pin", strings.NewReader("pinned=1"), "Content-Type", form, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	if w := call(v, "POST", "/debug/traces/trace/77/pin", nil); w.Code != http.StatusNotFound {
		t.Errorf("a trace that is not here: %d", w.Code)
	}
}

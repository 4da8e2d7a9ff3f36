package traceview_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

const formType = "application/x-www-form-urlencoded"

// pin pins the trace with the id n as a script does, or takes the pin off with "" for pinned, and returns the answer.
func pin(v *traceview.View, n uint64, pinned string) *httptest.ResponseRecorder {
	path := "/debug/traces/trace/" + traceHex(id(n)) + "/pin"
	return call(v, "POST", path, strings.NewReader("pinned="+pinned), "Content-Type", formType, "Accept", "application/json")
}

// mustPin is pin for a trace that can be pinned.
func mustPin(t *testing.T, v *traceview.View, n uint64, pinned string) {
	t.Helper()
	if w := pin(v, n, pinned); w.Code != http.StatusNoContent {
		t.Fatalf("pinned=%s of trace %d: %d %s", pinned, n, w.Code, w.Body)
	}
}

func TestPinnedTracesStayWhenOthersMakeRoom(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 12})
	put(t, v, "shop", root(1, noon, 1)) // faster than all others, so that no rule but the pin keeps it
	put(t, v, "shop", root(2, noon, ms(1), failed))
	for _, n := range []uint64{1, 2} {
		mustPin(t, v, n, "1")
	}
	for n := range uint64(100) {
		put(t, v, "shop", root(n+10, noon, ms(1)))
		put(t, v, "shop", root(n+1000, noon, ms(1), failed))
	}
	ids := keptIDs(t, v)
	if !ids[1] || !ids[2] || len(ids) != 12 {
		t.Errorf("%v are kept, want 12, the pinned 1 and 2 among them", ids)
	}
	if rows := listed(t, v, "q=pinned"); len(rows) != 2 {
		t.Errorf("the search for pinned traces lists %v", rows)
	}
	if rows := listed(t, v, "q=%21pinned"); len(rows) != 10 {
		t.Errorf("the search for traces that are not pinned lists %v", rows)
	}
	mustPin(t, v, 1, "")
	for n := range uint64(100) {
		put(t, v, "shop", root(n+2000, noon, ms(1)))
	}
	if ids := keptIDs(t, v); ids[1] || !ids[2] {
		t.Error("the trace that was unpinned should go, and the other one stay")
	}
}

func TestPinsAreBounded(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 20, MaxBytes: 1 << 20})
	for n := range uint64(20) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
	}
	for n := range uint64(5) {
		mustPin(t, v, n+1, "1")
	}
	if w := pin(v, 6, "1"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "5 traces are pinned") {
		t.Errorf("the sixth of at most five: %d %s", w.Code, w.Body)
	}
	mustPin(t, v, 1, "1") // it is pinned already
	mustPin(t, v, 1, "")
	put(t, v, "shop", root(99, noon, ms(1), tag("x", strings.Repeat("x", 300_000))))
	if w := pin(v, 99, "1"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "256 KiB") {
		t.Errorf("a trace of more than a quarter of the memory: %d %s", w.Code, w.Body)
	}
	if w := pin(v, 12345, "1"); w.Code != http.StatusNotFound {
		t.Errorf("a trace that is not here: %d", w.Code)
	}
}

func TestPinnedTracesGrowWithinTheMemory(t *testing.T) {
	const limit = 1 << 20
	v := newView(t, traceview.Config{MaxBytes: limit})
	for n := range uint64(4) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
		mustPin(t, v, n+1, "1")
	}
	for k := range uint64(1000) {
		for n := range uint64(4) {
			put(t, v, "shop", model.Span{TraceID: id(n + 1), SpanID: k + 2, ParentID: 1, Name: "x", Start: noon, Tags: []model.Tag{tag("x", strings.Repeat("x", 1000))}})
		}
		if bytes := traceview.CountsOf(v).Bytes; bytes > limit {
			t.Fatalf("%d bytes are kept, the limit is %d", bytes, limit)
		}
	}
}

func TestClearLeavesPinnedTraces(t *testing.T) {
	v := newView(t, traceview.Config{})
	shopTrace(t, v)
	alone := traceview.CountsOf(v).Bytes
	put(t, v, "shop", root(7, noon, ms(1)))
	mustPin(t, v, 0x51, "1")
	call(v, "POST", "/debug/traces/clear", nil)
	if rows := listed(t, v, ""); len(rows) != 1 || rows[0] != "0051" {
		t.Fatalf("after clearing all: %v", rows)
	}
	if c := traceview.CountsOf(v); c.Spans != 4 || c.Bytes != alone {
		t.Errorf("%+v are left, want 4 spans in %d bytes", c, alone)
	}
	check(t, v)
	contains(t, get(t, v, "/debug/traces/"), "1 trace cleared. ")
	call(v, "POST", "/debug/traces/undo", nil)
	if rows := listed(t, v, "sort=spans"); len(rows) != 2 {
		t.Errorf("after the undo: %v", rows)
	}
	for range 2 {
		call(v, "POST", "/debug/traces/clear", nil)
	}
	if rows := listed(t, v, "q=pinned"); len(rows) != 1 {
		t.Errorf("after two more clears: %v", rows)
	}
}

func TestPinsAreSaved(t *testing.T) {
	v := newView(t, traceview.Config{})
	shopTrace(t, v)
	put(t, v, "shop", root(7, noon, ms(1)))
	mustPin(t, v, 7, "1")
	var file bytes.Buffer
	if err := v.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := newView(t, traceview.Config{})
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	if rows := listed(t, again, "q=pinned"); len(rows) != 1 || rows[0] != "0007" {
		t.Errorf("pinned after loading: %v", rows)
	}
}

func TestThePinButtonPinsAndUnpins(t *testing.T) {
	v := newView(t, traceview.Config{MaxTraces: 4})
	for n := range uint64(2) {
		put(t, v, "shop", root(n+1, noon, ms(1)))
	}
	first, second := "/debug/traces/trace/"+traceHex(id(1)), "/debug/traces/trace/"+traceHex(id(2))
	contains(t, get(t, v, first), ">Pin</button>")
	w := call(v, "POST", first+"/pin", strings.NewReader("pinned=1"), "Content-Type", formType)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "../../trace/"+traceHex(id(1)) {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	contains(t, get(t, v, first), ">Unpin</button>")
	contains(t, get(t, v, "/debug/traces/"), ">pinned</span>")
	for accept, want := range map[string]string{"text/html": "<h1>Not pinned", "application/json": "1 trace is pinned"} {
		t.Run(accept, func(t *testing.T) {
			w := call(v, "POST", second+"/pin", strings.NewReader("pinned=1"), "Content-Type", formType, "Accept", accept)
			if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	if w := call(v, "POST", first+"/pin", strings.NewReader("pinned="), "Content-Type", formType, "Accept", "application/json"); w.Code != http.StatusNoContent {
		t.Errorf("unpin: %d", w.Code)
	}
	contains(t, get(t, v, first), ">Pin</button>")
	if w := call(v, "POST", first+"/pin", strings.NewReader("pinned=1"), "Content-Type", formType, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	if w := call(v, "POST", "/debug/traces/trace/77/pin", nil); w.Code != http.StatusNotFound {
		t.Errorf("a trace that is not here: %d", w.Code)
	}
}

package traceview_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// skewedTrace stores a trace of 100 ms, of which the clock of the second service is an hour behind.
func skewedTrace(t *testing.T, v *traceview.View) {
	t.Helper()
	hour := -int(time.Hour / time.Millisecond)
	inner := spanAt(3, 2, hour, hour+40, "server")
	inner.Logs = []model.Log{{Time: inner.Start.Add(ms(5)), Fields: []model.Tag{tag("event", "found")}}}
	put(t, v, "shop", spanAt(1, 0, 0, 100, "server"))
	put(t, v, "shop", spanAt(2, 1, 10, 60, "client"))
	put(t, v, "stock", inner)
}

// TestAlignedClocksEverywhere looks at the same trace in all places that show or compare its times.
func TestAlignedClocksEverywhere(t *testing.T) {
	v := newView(t, traceview.Config{})
	skewedTrace(t, v)
	put(t, v, "shop", model.Span{TraceID: id(2), SpanID: 9, Name: "slower", Start: noon.Add(-time.Minute), Duration: ms(200)})
	trace := "/debug/traces/trace/" + traceHex(id(1))
	for name, c := range map[string]struct{ path, want, not string }{
		"duration in the list":      {"/debug/traces/", ">100 ms<", "1 h 00 m"},
		"start in the list":         {"/debug/traces/?q=op", "now", "1 h ago"},
		"search for slow ones":      {"/debug/traces/?q=" + escape("dur>1s"), "No trace", traceHex(id(1))},
		"duration of the trace":     {trace, `"length":100000000,`, `"length":36`},
		"start of the trace":        {trace, "2026-03-14 12:00:00.000 UTC", "11:00:00"},
		"bar of the inner span":     {trace, `x="15.000%" width="40.000%"`, ""},
		"critical path":             {trace, `class="crit" x="15.000%" width="40.000%"`, ""},
		"start of the inner span":   {trace + "/span/0000000000000003", ">15 ms</dd>", ">-"},
		"log of the inner span":     {trace + "/span/0000000000000003", "20 ms", "-59 m"},
		"own time of the call":      {trace + "/span/0000000000000002", "<dd>10 ms</dd>", ""},
		"reported time of the span": {trace + "/span/0000000000000003", "2026-03-14 11:00:00.000 UTC", ""},
		"comparison":                {"/debug/traces/compare?a=" + traceHex(id(1)), "100 ms", "1 h 00 m"},
	} {
		t.Run(name, func(t *testing.T) {
			page := get(t, v, c.path)
			contains(t, page, c.want)
			if c.not != "" && strings.Contains(page, c.not) {
				t.Errorf("%q is in the page", c.not)
			}
		})
	}
}

func TestTracesAreSortedByAlignedTimes(t *testing.T) {
	v := newView(t, traceview.Config{})
	skewedTrace(t, v)
	put(t, v, "shop", model.Span{TraceID: id(2), SpanID: 9, Name: "slower", Start: noon.Add(-time.Minute), Duration: ms(200)})
	for order, first := range map[string]uint64{"": 1, "duration": 2} {
		t.Run("by "+order, func(t *testing.T) {
			if rows := listed(t, v, "sort="+order); len(rows) != 2 || rows[0] != fmt.Sprintf("%04x", first) {
				t.Errorf("%v, want trace %d first", rows, first)
			}
		})
	}
}

// TestSharedIDsAreAligned has a call and its answer with one id, as Zipkin's clients write them.
func TestSharedIDsAreAligned(t *testing.T) {
	v := newView(t, traceview.Config{})
	put(t, v, "shop", spanAt(1, 0, 0, 100, "client"))
	put(t, v, "stock", spanAt(1, 0, 5000, 5040, "server"))
	contains(t, get(t, v, "/debug/traces/trace/"+traceHex(id(1))), `"length":100000000,`)
}

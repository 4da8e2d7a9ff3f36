package traceview_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestPagesAreAsRecorded(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	for file, path := range map[string]string{
		"list.html":       "?errors=1&tag=error.type%3Dpanic",
		"trace.html":      "trace/" + trace + "?fold=" + spanHex(2) + "&span=" + spanHex(4),
		"span.html":       "trace/" + trace + "/span/" + spanHex(1),
		"operations.html": "operations",
		"operation.html":  "operations?service=shop&operation=POST+%2Forders&kind=server",
		"services.html":   "services",
	} {
		t.Run(file, func(t *testing.T) {
			golden(t, file, get(t, v, "/debug/traces/"+path))
		})
	}
}

func TestEmptyPagesSayWhatToDo(t *testing.T) {
	v := newView(t, traceview.Config{})
	contains(t, get(t, v, "/debug/traces/"), "OTEL_EXPORTER_OTLP_ENDPOINT")
	contains(t, get(t, v, "/debug/traces/?service=x"), "No trace matches")
	contains(t, get(t, v, "/debug/traces/operations"), "No operations yet")
	contains(t, get(t, v, "/debug/traces/services"), "No services yet")
	if w := call(v, "GET", "/debug/traces/trace/12", nil); w.Code != 404 {
		t.Errorf("unknown trace: %d", w.Code)
	}
}

// listed returns the low halves of the trace ids in the list, in order.
func listed(t *testing.T, v *traceview.View, query string) []string {
	ids := []string{}
	for _, m := range regexp.MustCompile(`id="trace-[0-9a-f]{28}([0-9a-f]{4})"`).FindAllStringSubmatch(get(t, v, "/debug/traces/?"+query), -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestTheListIsFiltered(t *testing.T) {
	v := newView(t, traceview.Config{})
	put(t, v, "shop", root(1, noon, ms(10), tag("q", "out of stock"), tag("sku", "42")))
	put(t, v, "shop", root(2, noon.Add(-time.Second), ms(20), failed))
	s := root(3, noon.Add(-2*time.Second), ms(30))
	s.Name = "POST /"
	put(t, v, "shop", s)
	put(t, v, "stock", model.Span{TraceID: id(3), SpanID: 9, ParentID: 3, Name: "check", Start: s.Start.Add(ms(25)), Duration: ms(15), Tags: []model.Tag{failed},
		Logs: []model.Log{{Fields: []model.Tag{tag("message", `say "x"`)}}}})
	for query, want := range map[string][]string{
		"":                      {"0001", "0002", "0003"},
		"limit=1":               {"0001"},
		"service=stock":         {"0003"},
		"operation=POST+/":      {"0003"},
		"errors=1":              {"0002", "0003"},
		"errors=1&service=shop": {"0002"},
		"min=15":                {"0002", "0003"},
		"min=40ms":              {"0003"}, // the trace takes 40 ms, no span of it does
		"tag=sku=42":            {"0001"},
		"tag=sku":               {"0001"},
		"tag=q=out+of+stock":    {"0001"},
		"tag=" + escape(`q="out of stock" sku=42`):             {"0001"},
		"tag=sku=42&tag=sku=43":                                {},
		"tag=error=true":                                       {"0002", "0003"},
		"tag=message":                                          {"0003"},
		"trace=" + traceHex(id(2)):                             {"0002"},
		"trace=00-" + traceHex(id(2)) + "-00f067aa0ba902b7-01": {"0002"},
		"trace=" + spanHex(2):                                  {"0002"}, // its low half
		"trace=nonsense":                                       {},
		"min=nonsense":                                         {"0001", "0002", "0003"},
	} {
		t.Run("?"+query, func(t *testing.T) {
			if diff := cmp.Diff(want, listed(t, v, query)); diff != "" {
				t.Errorf("%s (-want +got)\n%s", query, diff)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/?trace=nonsense"), "&#34;nonsense&#34; holds no trace id.")
	contains(t, get(t, v, "/debug/traces/?min=nonsense"), "is not a duration")
}

func TestFindingAnIdOpensItsTrace(t *testing.T) {
	v := newView(t, traceview.Config{})
	for i := range uint64(3) {
		put(t, v, "shop", model.Span{TraceID: model.TraceID{High: i, Low: 1 + i/2}, SpanID: 1, Name: "x"})
	}
	for find, want := range map[string]string{
		" 00000000000000020000000000000002 ": "./trace/00000000000000020000000000000002", "0000000000000002": "./trace/00000000000000020000000000000002",
		"0000000000000001": "", "0000000000000003": "", "nonsense": "", "": "",
	} {
		t.Run("q="+find, func(t *testing.T) {
			got := call(v, "GET", "/debug/traces/?q="+url.QueryEscape(find), nil)
			if to := got.Header().Get("Location"); got.Code != map[bool]int{true: 200, false: 303}[want == ""] || to != want {
				t.Errorf("%q: %d to %q", find, got.Code, to)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/?q="+spanHex(3)), "No trace and no span here has the id")
	if rows := listed(t, v, "q="+spanHex(1)); len(rows) != 2 {
		t.Errorf("two traces end in 1, but %v are listed", rows)
	}
}

func TestFoldedSpansAreLeftOut(t *testing.T) {
	v := newView(t, traceview.Config{})
	path := "/debug/traces/trace/" + traceHex(shopTrace(t, v))
	page := get(t, v, path+"?fold="+spanHex(2))
	if strings.Contains(page, `id="span-`+spanHex(3)) {
		t.Error("a span below a folded one is shown")
	}
	contains(t, page, `aria-expanded="false"`)
	contains(t, page, `href="?#span-`+spanHex(2)+`"`) // unfolds
}

func TestTimesFarApartAreShown(t *testing.T) {
	times := []time.Time{noon, {}, time.Unix(0, 0), time.UnixMicro(-1 << 63), time.UnixMicro(1<<63 - 1), time.Unix(0, -1<<63), time.Unix(0, 1<<63-1)}
	durations := []time.Duration{0, -1 << 63, 1<<63 - 1, -1}
	for i, zero := range times {
		t.Run(zero.String(), func(t *testing.T) {
			v := newView(t, traceview.Config{})
			for k, at := range times {
				put(t, v, "a", model.Span{TraceID: id(1), SpanID: uint64(k + 1), ParentID: uint64(k), Start: at, Duration: durations[(i+k)%4],
					Logs: []model.Log{{Time: zero, Fields: []model.Tag{tag("event", "x")}}}})
			}
			trace := "/debug/traces/trace/" + traceHex(id(1))
			for k := range times {
				contains(t, get(t, v, trace+"/span/"+spanHex(uint64(k+1))), "Starts at")
			}
			page := get(t, v, trace) + get(t, v, "/debug/traces/")
			if bad := regexp.MustCompile(`"-[0-9.]+%"|NaN|Inf|--`).FindString(page); bad != "" {
				t.Errorf("the page holds %s", bad)
			}
			get(t, v, trace+"/otlp.json")
			get(t, v, "/debug/traces/operations")
		})
	}
}

func TestDurationsAreShownInFewDigits(t *testing.T) {
	shown := map[time.Duration]string{
		0: "0", 999: "999 ns", 1500: "1.5 µs", 999_499: "999 µs", 999_500: "1 ms", ms(12): "12 ms", 1234567: "1.23 ms",
		ms(999): "999 ms", 999_600_000: "1 s", 59 * time.Second: "59 s", 61 * time.Second: "1 m 01 s", 3 * time.Hour: "3 h 00 m", 47 * time.Hour: "47 h 00 m",
		50 * time.Hour: "2 d 02 h", 1<<62 - 1: "53375 d",
	}
	v := newView(t, traceview.Config{})
	for d, want := range shown {
		t.Run(d.String(), func(t *testing.T) {
			n := uint64(d) + 1<<40
			put(t, v, "shop", root(n, noon, d))
			contains(t, get(t, v, "/debug/traces/trace/"+traceHex(id(n))), `<span class="took">`+want+"</span>")
		})
	}
}

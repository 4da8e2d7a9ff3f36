package traceview

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
)

// beforeAndAfter are two traces of one request: a query runs more often, a cache is gone, a call is new, and one fails.
func beforeAndAfter(t *testing.T, v *View) (a, b string) {
	at := func(side, n int) time.Time { return noon.Add(time.Duration(side-2)*time.Minute + ms(n)) }
	span := func(side int, service string, n, parent uint64, name string, from, took int, tags ...model.Tag) {
		put(t, v, service, model.Span{TraceID: id(uint64(side)), SpanID: uint64(side)<<32 | n, ParentID: map[bool]uint64{true: uint64(side)<<32 | parent}[parent > 0], Name: name,
			Start: at(side, from), Duration: ms(took), Tags: tags})
	}
	span(1, "shop", 1, 0, "GET /cart", 0, 100)
	span(1, "cache", 2, 1, "get", 5, 5)
	span(1, "db", 3, 1, "SELECT", 20, 20)
	span(1, "mail", 4, 1, "send", 50, 40)
	span(1, "shop", 5, 1, "render", 91, 5)
	span(2, "shop", 1, 0, "GET /cart", 0, 300)
	for n := range uint64(10) {
		span(2, "db", 20+n, 1, "SELECT", 20+20*int(n), 20)
	}
	span(2, "mail", 4, 1, "send", 230, 10, failed)
	span(2, "audit", 6, 1, "write", 250, 30)
	span(2, "db", 7, 6, "INSERT", 255, 20)
	span(2, "shop", 5, 1, "render", 291, 5)
	return traceHex(id(1)), traceHex(id(2))
}

func TestCompareByPath(t *testing.T) {
	v := newView(t, Config{})
	beforeAndAfter(t, v)
	a, _ := v.store.get(id(1))
	b, _ := v.store.get(id(2))
	d := compare(a, b)
	var got []string
	for _, p := range d.rows {
		got = append(got, fmt.Sprint(strings.Repeat(" ", p.depth), p.service, " ", p.name, " ", p.change, " ", p.sides[0].spans, ">", p.sides[1].spans, " ", p.delta(), " ", p.failing))
	}
	want := []string{
		"shop GET /cart slower 1>1 200ms false",
		" cache get gone 1>0 -5ms false",
		" db SELECT slower 1>10 180ms false",
		" mail send faster 1>1 -30ms true",
		" shop render  1>1 0s false",
		" audit write new 0>1 30ms false",
		"  db INSERT new 0>1 20ms false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if d.counts != (counts{isNew: 2, gone: 1, slower: 2, faster: 1, failing: 1}) {
		t.Errorf("%+v", d.counts)
	}
	got = nil
	for _, p := range d.causes(3) {
		got = append(got, fmt.Sprint(p.name, " ", p.ownDelta()))
	}
	if diff := cmp.Diff([]string{"SELECT 180ms", "send -30ms", "GET /cart 25ms"}, got); diff != "" {
		t.Errorf("causes (-want +got)\n%s", diff)
	}
	if same := compare(a, a); same.counts != (counts{}) || len(same.causes(9)) != 0 {
		t.Errorf("a trace differs from itself: %+v", same.counts)
	}
}

func TestComparePage(t *testing.T) {
	v := newView(t, Config{})
	a, b := beforeAndAfter(t, v)
	path := "/debug/traces/compare?a=" + a + "&b=" + b
	page := get(t, v, path)
	golden(t, "compare.html", page)
	for show, want := range map[string]int{"all": 7, "changed": 6, "new": 3, "gone": 2, "slower": 2, "faster": 2, "errors": 2, "nonsense": 7} {
		t.Run(show, func(t *testing.T) {
			if n := strings.Count(get(t, v, path+"&show="+show), `<th scope="row"`); n != want {
				t.Errorf("show=%s: %d rows, want %d", show, n, want)
			}
		})
	}
	contains(t, get(t, v, "/debug/traces/compare?a="+a+"&b="+a), "no path is new, gone, or clearly slower or faster")
}

func TestChoosingATraceToCompareWith(t *testing.T) {
	v := newView(t, Config{})
	a, b := beforeAndAfter(t, v)
	shopTrace(t, v)
	other := traceHex(id(0x51))
	path := "/debug/traces/compare?a=" + a
	page := get(t, v, path)
	contains(t, page, "1 other trace that begins in the same way")
	contains(t, page, `href="./compare?a=`+a+`&amp;b=`+b+`"`)
	if strings.Contains(page, other) {
		t.Error("a trace that begins in another way is offered")
	}
	contains(t, get(t, v, "/debug/traces/compare?a="+other), "no other one begins in the same way")
	contains(t, get(t, v, path+"&q=boom"), other)
	contains(t, get(t, v, path+"&q=dur%3E"), "has no value")
	contains(t, get(t, v, path+"&q=nothing-like-this"), "No other trace matches")
	w := call(v, "GET", path+"&q="+escape("00-"+b+"-00f067aa0ba902b7-01"), nil)
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "./compare?a="+a+"&b="+b {
		t.Errorf("a pasted header: %d to %q", w.Code, to)
	}
	contains(t, get(t, v, path+"&b=77"), "has not come yet")
	for _, bad := range []string{"", "?a=", "?a=nonsense", "?a=77&b=" + b} {
		t.Run("compare"+bad, func(t *testing.T) {
			if w := call(v, "GET", "/debug/traces/compare"+bad, nil); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", bad, w.Code)
			}
		})
	}
}

// Hostile traces: a chain of 20,000, and as many paths beside each other.
func TestCompareIsBounded(t *testing.T) {
	v := newView(t, Config{})
	for n := range uint64(maxSpans) {
		put(t, v, "s", model.Span{TraceID: id(1), SpanID: n + 1, ParentID: n, Name: "deep", Start: noon, Duration: ms(1)})
		put(t, v, "s", model.Span{TraceID: id(2), SpanID: n + 1, ParentID: min(n, 1), Name: fmt.Sprint("wide ", n), Start: noon, Duration: ms(1)})
	}
	for _, pair := range [][2]uint64{{1, 2}, {2, 1}, {1, 1}, {2, 2}} {
		t.Run(fmt.Sprintf("%d and %d", pair[0], pair[1]), func(t *testing.T) {
			page := get(t, v, "/debug/traces/compare?a="+traceHex(id(pair[0]))+"&b="+traceHex(id(pair[1])))
			if n := strings.Count(page, `<th scope="row"`); n != compareLimit {
				t.Errorf("%v: %d rows", pair, n)
			}
			if len(page) > 2<<20 {
				t.Errorf("%v: %d bytes", pair, len(page))
			}
		})
	}
}

func TestRatios(t *testing.T) {
	for _, c := range []struct {
		a, b time.Duration
		want string
	}{{ms(100), ms(100), "as long"}, {ms(100), ms(150), "50 % longer"}, {ms(100), ms(350), "3.5 times as long"}, {ms(100), ms(25), "75 % shorter"}, {0, ms(1), ""}} {
		t.Run(fmt.Sprintf("%v and %v", c.a, c.b), func(t *testing.T) {
			if got := ratio(c.a, c.b); got != c.want {
				t.Errorf("%v and %v: %q, want %q", c.a, c.b, got, c.want)
			}
		})
	}
}

func TestComparedTracesTakeTheirAlignedTime(t *testing.T) {
	v := newView(t, Config{})
	for n := range 2 {
		at := func(span uint64, parent uint64, from, to int, kind string) model.Span {
			s := spanAt(span, parent, from, to, kind)
			s.TraceID = id(uint64(1 + n))
			return s
		}
		put(t, v, "shop", at(1, 0, 0, 100, "client"))
		put(t, v, "stock", at(2, 1, 20-5000*n, 80-5000*n, "server")) // in the second trace, 5 s behind
	}
	page := get(t, v, "/debug/traces/compare?a="+traceHex(id(1))+"&b="+traceHex(id(2)))
	if n := strings.Count(page, `<span class="big">100 ms</span>`); n != 2 || strings.Contains(page, "times as long") {
		t.Errorf("%d traces take 100 ms, want both\n%s", n, page)
	}
}

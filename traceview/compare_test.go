package traceview_test

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// beforeAndAfter are two traces of one request: a query runs more often, a cache is gone, a call is new, and one fails.
func beforeAndAfter(t *testing.T, v *traceview.View) (a, b string) {
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

var (
	comparedRow = regexp.MustCompile(`<tr class="c\d+ is-(\w+)"><th scope="row" class="d(\d)">(.*?)<td class="bars">`)
	markup      = regexp.MustCompile(`<[^>]*>`)
)

func TestTracesAreComparedPathByPath(t *testing.T) {
	v := newView(t, traceview.Config{})
	a, b := beforeAndAfter(t, v)
	var got []string
	for _, m := range comparedRow.FindAllStringSubmatch(get(t, v, "/debug/traces/compare?a="+a+"&b="+b), -1) {
		cells := strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(m[3], " "))), " ")
		got = append(got, strings.Repeat(" ", int(m[2][0]-'0'))+m[1]+": "+cells)
	}
	want := []string{
		"slower: shop GET /cart slower 100 ms 300 ms +200 ms",
		" gone: cache get gone 5 ms – −5 ms",
		" slower: db SELECT slower 20 ms ×10 200 ms +180 ms",
		" faster: mail send faster 0 → 1 error 40 ms 10 ms −30 ms",
		" same: shop render 5 ms 5 ms 0",
		" new: audit write new – 30 ms +30 ms",
		"  new: db INSERT new – 20 ms +20 ms",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestThePageOfAComparisonShowsWhatIsWanted(t *testing.T) {
	v := newView(t, traceview.Config{})
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
	v := newView(t, traceview.Config{})
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
	v := newView(t, traceview.Config{})
	for n := range uint64(traceview.MaxSpans) {
		put(t, v, "s", model.Span{TraceID: id(1), SpanID: n + 1, ParentID: n, Name: "deep", Start: noon, Duration: ms(1)})
		put(t, v, "s", model.Span{TraceID: id(2), SpanID: n + 1, ParentID: min(n, 1), Name: fmt.Sprint("wide ", n), Start: noon, Duration: ms(1)})
	}
	for _, pair := range [][2]uint64{{1, 2}, {2, 1}, {1, 1}, {2, 2}} {
		t.Run(fmt.Sprintf("%d and %d", pair[0], pair[1]), func(t *testing.T) {
			page := get(t, v, "/debug/traces/compare?a="+traceHex(id(pair[0]))+"&b="+traceHex(id(pair[1])))
			if n := strings.Count(page, `<th scope="row"`); n != traceview.CompareLimit {
				t.Errorf("%v: %d rows", pair, n)
			}
			if len(page) > 2<<20 {
				t.Errorf("%v: %d bytes", pair, len(page))
			}
		})
	}
}

func TestComparedDurationsAreToldApartInWords(t *testing.T) {
	v := newView(t, traceview.Config{})
	for i, c := range []struct {
		a, b int
		want string
	}{{100, 100, "as long"}, {100, 150, "50 % longer"}, {100, 350, "3.5 times as long"}, {100, 25, "75 % shorter"}, {0, 1, ""}} {
		t.Run(fmt.Sprintf("%d ms and %d ms", c.a, c.b), func(t *testing.T) {
			first, second := uint64(2*i+1), uint64(2*i+2)
			put(t, v, "shop", root(first, noon, ms(c.a)))
			put(t, v, "shop", root(second, noon.Add(time.Second), ms(c.b)))
			page := get(t, v, "/debug/traces/compare?a="+traceHex(id(first))+"&b="+traceHex(id(second)))
			if got := regexp.MustCompile(`as long|[\d.]+ (times as long|% longer|% shorter)`).FindString(page); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestComparedTracesTakeTheirAlignedTime(t *testing.T) {
	v := newView(t, traceview.Config{})
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

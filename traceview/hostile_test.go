package traceview_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

// oddSpans are spans as no honest program sends them.
func oddSpans() map[string][]model.Span {
	far := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	span := func(id, parent uint64, start time.Time, d time.Duration) model.Span {
		return model.Span{TraceID: model.TraceID{Low: 7}, SpanID: id, ParentID: parent, Name: "odd", Start: start, Duration: d}
	}
	big := span(1, 0, noon, ms(1))
	big.Tags = []model.Tag{tag("q", strings.Repeat("x", 2<<20)), tag(strings.Repeat("k", 1<<20), "v")}
	long := span(1, 0, noon, ms(1))
	long.Name = strings.Repeat("name ", 1<<20)
	control := span(1, 0, noon, ms(1))
	control.Name = "a\x00b\x1b[31mc\r\nd\u202ee\u2066f\u0000"
	number := span(1, 0, noon, ms(1))
	number.Tags = []model.Tag{{Key: "f", Value: model.Float(math.NaN())}, {Key: "g", Value: model.Float(math.Inf(1))}}
	return map[string][]model.Span{
		"no span ids":          {{TraceID: id(1), Name: "odd", Start: noon, Duration: ms(1)}, {TraceID: id(1), Name: "odd", Start: noon, Duration: ms(2)}},
		"no name":              {{TraceID: id(1), SpanID: 1, Start: noon}},
		"its own parent":       {span(1, 1, noon, ms(1))},
		"a circle of parents":  {span(1, 2, noon, ms(1)), span(2, 3, noon, ms(1)), span(3, 1, noon, ms(1))},
		"one id for all":       {span(1, 0, noon, ms(1)), span(1, 0, noon, ms(2)), span(1, 1, noon, ms(3)), span(1, 2, noon, ms(1))},
		"before all time":      {span(1, 0, time.Time{}, ms(1)), span(2, 1, far(-200_000), ms(1))},
		"after all time":       {span(1, 0, far(9999), ms(1)), span(2, 1, far(200_000), ms(1))},
		"before and after":     {span(1, 0, far(1), math.MaxInt64), span(2, 1, far(9999), math.MaxInt64), span(3, 1, noon, math.MinInt64)},
		"no duration":          {span(1, 0, noon, 0), span(2, 1, noon, -ms(5))},
		"a tag of megabytes":   {big},
		"a name of megabytes":  {long},
		"control characters":   {control},
		"numbers that are not": {number},
	}
}

// firstOperation is the name of the first operation that v knows.
func firstOperation(t *testing.T, v *traceview.View) string {
	t.Helper()
	var operations struct{ Data []struct{ Name string } }
	err := json.Unmarshal([]byte(get(t, v, "/debug/traces/api/operations?service=odd+service")), &operations)
	if err != nil || len(operations.Data) == 0 {
		t.Fatalf("%v, %+v", err, operations)
	}
	return operations.Data[0].Name
}

// Whatever was stored, every page answers, within bounds, and says nothing that is no number.
func TestPagesOfOddSpans(t *testing.T) {
	for name, spans := range oddSpans() {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{})
			for _, s := range spans {
				put(t, v, "odd service", s)
			}
			trace := traceHex(spans[0].TraceID)
			op := "operations?" + url.Values{"service": {"odd service"}, "operation": {firstOperation(t, v)}, "kind": {""}}.Encode()
			for _, path := range []string{"", "?sort=duration", "?q=slow", "?q=odd", op, "operations", "services", "services?focus=odd+service",
				"trace/" + trace, "trace/" + trace + "?span=" + spanHex(spans[0].SpanID), "compare?a=" + trace + "&b=" + trace, "beside"} {
				t.Run(cmp.Or(path, "list"), func(t *testing.T) {
					page := get(t, v, "/debug/traces/"+path)
					inert(t, path, page)
					if m := regexp.MustCompile(`="[^"]*(NaN|Inf|%!)[^"]*"`).FindString(page); m != "" {
						t.Errorf("%s: %s", path, m)
					}
					if len(page) > 12<<20 {
						t.Errorf("%s has %d bytes", path, len(page))
					}
				})
			}
			for _, path := range []string{"api/traces/" + trace, "api/traces?service=odd+service", "api/v3/traces/" + trace, "trace/" + trace + "/otlp.json"} {
				t.Run(path, func(t *testing.T) {
					w := call(v, "GET", "/debug/traces/"+path, nil)
					if w.Code >= 500 || w.Code == 200 && !json.Valid(w.Body.Bytes()) {
						t.Errorf("%d %.200s", w.Code, w.Body)
					}
				})
			}
			check(t, v)
			for _, path := range []string{"clear", "undo"} {
				if w := call(v, "POST", "/debug/traces/"+path, nil); w.Code != http.StatusSeeOther {
					t.Errorf("%s: %d", path, w.Code)
				}
				check(t, v)
			}
		})
	}
}

func TestOddSpansInFlight(t *testing.T) {
	v := newView(t, traceview.Config{})
	sc := func(trace, span, parent uint64) jaeger.SpanContext {
		return jaeger.NewSpanContext(jaeger.TraceID{Low: trace}, jaeger.SpanID(span), jaeger.SpanID(parent), true, nil)
	}
	v.ReportStart("", sc(1, 1, 1), noon)
	v.ReportStart(strings.Repeat("x", 10<<20), sc(2, 1, 2), noon.Add(time.Hour)) // in the future
	v.ReportStart("b", sc(2, 2, 1), noon)
	v.ReportStart("a\x00\xff\u202e<script>", sc(3, 3, 0), noon.Add(-time.Second))
	v.ReportStart("again", sc(3, 3, 0), noon)
	v.ReportStart("no ids", sc(0, 0, 0), noon)
	v.ReportStart("no sampling state", jaeger.SpanContext{}, noon)
	v.ReportStart("no time", sc(4, 4, 0), time.Time{})
	page := get(t, v, "/debug/traces/")
	inert(t, "the list", page)
	contains(t, page, "3 in flight")
	if len(page) > 100_000 {
		t.Errorf("the list has %d bytes", len(page))
	}
}

// Sixty-four pages that do not read neither hold up spans nor keep their places.
func TestPagesThatDoNotReadAreLeft(t *testing.T) {
	v := newView(t, traceview.Config{})
	var left atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.ServeHTTP(w, r)
		left.Add(1)
	}))
	server.Listener = smallBuffers{server.Listener}
	server.Start()
	t.Cleanup(server.Close)
	send := func(n int) {
		s := root(uint64(n), noon, ms(1))
		s.Name = fmt.Sprint(n, strings.Repeat("<", 200))
		put(t, v, "shop", s)
	}
	for n := range 50 {
		send(n + 1)
	}
	for range traceview.MaxStreams {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprint(conn, "GET /debug/traces/events?since=0&limit=50 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * traceview.WriteTime)
	for n := 1000; left.Load() < traceview.MaxStreams; n++ {
		before := time.Now()
		send(n)
		if took := time.Since(before); took > 5*traceview.WriteTime { // pages that are waited for take theirs one after another
			t.Fatalf("a span took %v to store", took)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d of %d pages that do not read are left", left.Load(), traceview.MaxStreams)
		}
	}
	if _, up := listen(t, server.URL+"/debug/traces/events?since=0&limit=1").next(); len(up.Rows) != 1 {
		t.Errorf("%d rows for a page that reads", len(up.Rows))
	}
}

// smallBuffers is a listener whose connections take little that is not read.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// Any text in any parameter of any page is answered, and never with a server's error.
func TestOddParametersAreAnswered(t *testing.T) {
	v := newView(t, traceview.Config{})
	trace := traceHex(shopTrace(t, v))
	rng := rand.New(rand.NewPCG(3, 4))
	odd := []string{"", "0", "-1", "99999999999999999999", "NaN", "1e309", evil, strings.Repeat("a ", 5000), `"`, `!`, `!!`, `=`, `dur>`, "status>=x",
		"slow", "!slow", "slow=false", "slow=*", "\x00", "%", "a=b=c", "..", "*", "service=*", "-", "—", "0x10", "dur>5h", "spans>3 errors<2"}
	keys := []string{"q", "sort", "limit", "service", "operation", "kind", "name", "errors", "tag", "min", "trace", "focus", "depth", "since", "find", "a", "b", "span", "fold", "only", "range"}
	paths := []string{"", "operations", "services", "trace/" + trace, "compare", "beside", "api/traces", "api/services", "api/dependencies", "api/v3/traces"}
	for range 600 {
		q := url.Values{}
		for range 1 + rng.IntN(4) {
			q.Add(keys[rng.IntN(len(keys))], odd[rng.IntN(len(odd))])
		}
		path := paths[rng.IntN(len(paths))]
		w := call(v, "GET", "/debug/traces/"+path+"?"+q.Encode(), nil)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s?%s: %d", path, q.Encode(), w.Code)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			inert(t, path+"?"+q.Encode(), w.Body.String())
		}
	}
}

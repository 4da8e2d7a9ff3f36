package traceview_test

import (
	"fmt"
	"html"
	"strings"
	"testing"

	"github.com/spanloom/spanloom/internal/model"
	"github.com/spanloom/spanloom/traceview"
)

func TestLongValuesAreLaidOut(t *testing.T) {
	v := newView(t, traceview.Config{})
	for i, c := range []struct{ key, value, want string }{
		{"body", `{"a":1,"b":[true]}`, "{\n  \"a\": 1,\n  \"b\": [\n    true\n  ]\n}"},
		{"body", `{"a":1`, `{"a":1`},
		{"body", "{}", "{}"},
		{"text", "select a table, and from there where you like, or not", "select a table, and from there where you like, or not"},
		{"db.statement", "SELECT id, name FROM products p LEFT JOIN stock s ON s.id = p.id WHERE p.name = 'salt and pepper from Peru' AND s.n > 0 ORDER BY name",
			"SELECT id, name\nFROM products p\nLEFT JOIN stock s ON s.id = p.id\nWHERE p.name = 'salt and pepper from Peru'\n  AND s.n > 0\nORDER BY name"},
	} {
		t.Run(fmt.Sprintf("%s %.30s", c.key, c.value), func(t *testing.T) {
			n := uint64(i + 1)
			put(t, v, "shop", root(n, noon, ms(1), tag(c.key, c.value)))
			page := get(t, v, "/debug/traces/trace/"+traceHex(id(n))+"/span/"+spanHex(n))
			contains(t, html.UnescapeString(page), ">"+c.want+"</")
		})
	}
}

func TestStacksBeginWithTheFrameThatPanicked(t *testing.T) {
	v := newView(t, traceview.Config{})
	stack := "goroutine 29 [running]:\nruntime/debug.Stack()\n\tstack.go:26\ngithub.com/spanloom/spanloom/internal/rpcspan.(*Span).panicked()\n\tpanic.go:1\n" +
		"panic({0x1, 0x2})\n\tpanic.go:783\nruntime.goPanicIndex()\n\tpanic.go:9\nmain.handler()\n\tmain.go:72\ngithub.com/spanloom/spanloom/httpmw.serve()\n\tserver.go:1\n"
	put(t, v, "shop", root(1, noon, ms(1), tag("exception.stacktrace", "own words"), tag("stack", stack)))
	page := get(t, v, "/debug/traces/trace/"+traceHex(id(1))+"/span/"+spanHex(1))
	contains(t, page, `<pre tabindex="0">main.handler()`)
	contains(t, page, "own words")
	if strings.Index(page, "main.handler") > strings.Index(page, "runtime/debug.Stack") {
		t.Error("the frames of the runtime come first")
	}
	put(t, v, "shop", root(2, noon, ms(1), tag("stack", "panic(1)\n\tpanic.go:1\n")))
	contains(t, get(t, v, "/debug/traces/trace/"+traceHex(id(2))+"/span/"+spanHex(2)), `<pre tabindex="0">panic(1)`)
}

func TestListSaysWhatHappened(t *testing.T) {
	v := newView(t, traceview.Config{})
	code := func(n int64) model.Tag { return model.Tag{Key: "http.status_code", Value: model.Int(n)} }
	s := root(1, noon, ms(5), code(404), tag("http.url", "http://shop/products/42?lang=de"))
	s.Name = "GET /products/{id}"
	put(t, v, "shop", s)
	put(t, v, "shop", root(2, noon, ms(5), failed, code(500)))
	put(t, v, "stock", model.Span{TraceID: id(2), SpanID: 9, ParentID: 2, Name: "check", Start: noon, Duration: ms(1), Tags: []model.Tag{failed},
		Logs: []model.Log{{Time: noon, Fields: []model.Tag{tag("event", "error"), tag("message", "the shelf\nfell over")}}}})
	put(t, v, "shop", root(3, noon, ms(5), model.Tag{Key: "rpc.grpc.status_code", Value: model.Int(5)}))
	for n := range uint64(100) {
		put(t, v, "shop", model.Span{TraceID: id(3), SpanID: 10 + n, ParentID: 3, Name: "SELECT products", Start: noon.Add(ms(2 * int(n))), Duration: ms(2)})
	}
	page := get(t, v, "/debug/traces/")
	for _, want := range []string{`<span class="badge warn">404</span>`, `<span class="path">/products/42?lang=de</span>`, `<span class="badge err">500</span>`,
		`<span class="why">the shelf fell over</span>`, `<span class="badge warn">NOT_FOUND</span>`, "SELECT products ×100, 200 ms"} {
		contains(t, page, want)
	}
}

// The page of a large trace is written without html/template but for its first rows.
func TestLargeTracePageAllocs(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes 5,000 spans")
	}
	v := newView(t, traceview.Config{})
	for n := range uint64(5000) {
		s := root(n+1, noon.Add(ms(int(n))), ms(1))
		s.TraceID, s.ParentID = id(1), (n+19)/20
		put(t, v, "shop", s)
	}
	path := "/debug/traces/trace/" + traceHex(id(1))
	if n := testing.AllocsPerRun(3, func() { call(v, "GET", path, nil) }); n > 100_000 {
		t.Errorf("%v allocations, want at most 100,000", n)
	}
}

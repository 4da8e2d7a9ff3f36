package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// drag presses the pointer on one point, in parts of an element's width, and lets it go on another.
func (p *page) drag(selector string, from, to float64) {
	p.t.Helper()
	box := eval[[]float64](p, fmt.Sprintf(`(r => [r.left, r.top + r.height/2, r.width])(document.querySelector(%q).getBoundingClientRect())`, selector))
	at := func(part float64, kind input.DispatchMouseEventType, button input.MouseButton) {
		command(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: box[0] + part*box[2], Y: box[1], Button: button, ClickCount: 1})
	}
	at(from, "mouseMoved", "none")
	at(from, "mousePressed", "left")
	at((from+to)/2, "mouseMoved", "left")
	at(to, "mouseMoved", "left")
	at(to, "mouseReleased", "left")
}

func TestFindInATrace(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	path := busyTrace(m)
	p := open(t, m.URL)
	p.goTo(path)
	p.until("the rows", shownRows+`.length === 5`)
	p.press("f")
	eval[any](p, `document.activeElement.value = ""`) // the driver types the key that a browser would not
	p.press(`"id = 1"`)
	p.until("its hits", `document.querySelector(".hits").textContent === "11 hits"`)
	focused := func(n int) string {
		return fmt.Sprintf(`document.querySelector(".hits").textContent === "%d of 11" && `, n)
	}
	p.press(kb.Enter)
	p.until("the first", focused(1)+`document.querySelectorAll("#spans .hit").length >= 2`)
	p.press(kb.Enter)
	p.until("the second", focused(2)+`true`)
	p.press(kb.Escape)
	p.press("n")
	p.until("the third, with the focus on it", focused(3)+`document.activeElement.closest(".span.hit").id === "span-`+fmt.Sprintf("%016x", 111)+`"`)
	p.press("N")
	p.press("N")
	p.press("N")
	p.until("the last one again, before the first", focused(11)+`document.activeElement.closest(".span.hit").id === "span-`+fmt.Sprintf("%016x", 119)+`"`)
	p.run("the button for the next", chromedp.Click(chromedp.CSS(`#controls button[title^="Next hit"]`)))
	p.until("the first again", focused(1)+`true`)
	p.run("reload", chromedp.Reload())
	p.until("the same hits", `document.querySelector("#controls input").value === '"id = 1"' && document.querySelector(".hits").textContent === "11 hits"`)
	for query, want := range map[string]string{"dur>15ms service=stock": "1 hit", "error": "1 hit", "shelf=b7": "1 hit", "nothing": "0 hits", "dur>soon": "not a duration"} {
		eval[any](p, fmt.Sprintf(`(f => { f.value = %q; f.dispatchEvent(new Event("input")) })(document.querySelector("#controls input"))`, query))
		p.until(query, fmt.Sprintf(`document.querySelector(".hits").textContent.includes(%q)`, want))
	}
}

func TestPillsOfATrace(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	for n := 10; n < 60; n++ { // how long the operation usually takes
		m.send("db", spanAt(n, 1000+n, 0, "INSERT", float64(n), 1))
	}
	m.send("shop", spanAt(1, 1, 0, "POST /orders", 0, 200), spanAt(1, 2, 1, "audit", 10, 5))
	m.send("db", spanAt(1, 3, 1, "INSERT", 20, 150), spanAt(1, 4, 1, "INSERT", 175, 1), failedSpan(spanAt(1, 5, 2, "log", 11, 1), "disk full"))
	p := open(t, m.URL)
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	pill := func(name string) string {
		return `[...document.querySelectorAll(".pills button")].find(b => b.textContent.startsWith("` + name + `"))`
	}
	for _, c := range []struct {
		pill, url string
		rows      int
	}{{"errors 1", "errors", 3}, {"slow 1", "slow", 2}, {"critical path 5", "critical", 5}} {
		p.until("the pill "+c.pill, pill(c.pill)+` && `+shownRows+`.length === 5`)
		eval[any](p, pill(c.pill)+`.click()`)
		p.until("its spans and what leads to them", fmt.Sprintf(`%s.length === %d && %s.getAttribute("aria-pressed") === "true" && location.search.includes("only=%s")`, shownRows, c.rows, pill(c.pill), c.url))
		eval[any](p, pill(c.pill)+`.click()`)
	}
	p.until("every span", shownRows+`.length === 5`)
	if !eval[bool](p, shownRows+`.some(r => r.textContent.includes("INSERT") && r.querySelector(".warn").textContent === "slow")`) {
		t.Error("the slow span is not marked")
	}
}

func TestZoomAndWidths(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	path := busyTrace(m)
	p := open(t, m.URL)
	p.goTo(path)
	p.until("the minimap", `document.querySelector("#minimap canvas").width > 0 && !document.getElementById("minimap").hidden`)
	p.drag("#minimap", .5, .75)
	p.until("its third quarter", `document.querySelector(".ticks .t0").textContent.startsWith("150") && document.querySelector(".ticks .t100").textContent.startsWith("225") && location.search.includes("range=150")`)
	address := eval[string](p, `location.href`)
	p.goTo("")
	p.run("come back", chromedp.Navigate(address))
	p.until("the same part", `document.querySelector(".ticks .t0").textContent.startsWith("150")`)
	p.drag(".ruler .ticks", .2, .6)
	p.until("a part of the part", `document.querySelector(".ticks .t0").textContent.startsWith("165")`)
	eval[any](p, `document.getElementById("minimap").dispatchEvent(new MouseEvent("dblclick"))`)
	p.until("the whole", `document.querySelector(".ticks .t0").textContent === "0" && !location.search.includes("range")`)

	wide := func() float64 { return eval[float64](p, shownRows+`[0].querySelector(".name").offsetWidth`) }
	before := wide()
	p.drag(".grip", .5, 12) // to the right, by widths of the grip
	p.until("wider names", fmt.Sprintf(shownRows+`[0].querySelector(".name").offsetWidth > %v`, before+50))
	after := wide()
	p.run("reload", chromedp.Reload())
	p.until("that they stay", fmt.Sprintf(`document.querySelector("#spans .name") && Math.abs(%s[0].querySelector(".name").offsetWidth - %v) < 3`, shownRows, after))
	eval[any](p, `document.querySelector(".grip").focus()`)
	p.press(kb.ArrowLeft)
	p.until("less wide by a key", fmt.Sprintf(shownRows+`[0].querySelector(".name").offsetWidth < %v`, after-5))

	const check = `[...document.querySelectorAll("#spans .span")].find(r => r.textContent.includes("check"))`
	eval[any](p, `[...document.querySelectorAll(".pills button")].find(b => b.textContent === "align clocks").click()`)
	p.until("times as they were reported", `location.search.includes("raw=1") && `+check+`.querySelector(".warn").textContent === "clock" && document.querySelector(".facts .big").textContent === "1.8 s"`)
	eval[any](p, `[...document.querySelectorAll(".pills button")].find(b => b.textContent === "group equal").click()`)
	p.until("equal spans one by one", shownRows+`.length > 30 && location.search.includes("group=0")`)
}

func TestButtonsCopyWhatTheyName(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	m.send("shop", spanAt(1, 0xabc, 0, "POST /orders", 0, 20, "http.method", "POST", "http.url", "http://shop.test/orders?id=it's", "note", "line one"))
	p := open(t, m.URL)
	trace := fmt.Sprintf("%032x", 1)
	span := fmt.Sprintf("%016x", 0xabc)
	p.goTo("trace/" + trace + "?span=" + span)
	p.until("the detail", `document.querySelector(".detail")`)
	eval[any](p, `navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }`)
	for selector, want := range map[string]string{
		"#trace-id + .copy":                       trace,
		`.detail .copy[data-copy="` + span + `"]`: span,
		".detail .copy[data-link]":                p.origin + "/debug/traces/trace/" + trace + "?span=" + span + "#span-" + span,
		".detail .copy[data-copy^=curl]":          `curl -X 'POST' 'http://shop.test/orders?id=it'\''s'`,
		".detail .tags tr:nth-child(3) .copy":     "line one",
	} {
		p.subtest(selector, func(t *testing.T) {
			eval[any](p, fmt.Sprintf(`(window.copied = "", document.querySelector(%q).click())`, selector))
			p.until(selector, `window.copied !== ""`)
			if got := eval[string](p, `window.copied`); got != want {
				t.Errorf("%s copies %q, want %q", selector, got, want)
			}
		})
	}
	link := strings.TrimPrefix(eval[string](p, `(document.querySelector(".detail .copy[data-link]").click(), window.copied)`), p.origin+"/debug/traces/")
	p.goTo(link)
	p.until("the span of the copied link", `document.querySelector(".detail").textContent.includes("line one")`)
}

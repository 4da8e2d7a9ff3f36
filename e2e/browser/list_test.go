package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// moveTo moves the pointer to the middle of an element.
func (p *page) moveTo(selector string) {
	p.t.Helper()
	at := eval[[]float64](p, fmt.Sprintf(`(r => [r.left + r.width/2, r.top + r.height/2])(document.querySelector(%q).getBoundingClientRect())`, selector))
	command(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseMoved", X: at[0], Y: at[1]})
}

func fill(m *memory, from, to int) {
	for n := from; n <= to; n++ {
		m.send("shop", spanAt(n, n, 0, fmt.Sprintf("GET /%d", n), float64(n), 5))
	}
}

func TestRowsStayWhileThePointerIsOnThem(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 20)
	p := open(t, m.URL)
	p.goTo("")
	p.until("the list", rows+`.length === 20 && document.getElementById("live").textContent === "live"`)
	p.moveTo("#traces tbody tr")
	first := eval[string](p, rows+`[0].id`)
	fill(m, 21, 24)
	p.until("what waits", `document.getElementById("waiting").textContent === "4 new"`)
	if got := eval[string](p, rows+`[0].id`); got != first {
		t.Errorf("the row under the pointer was %s and is %s", first, got)
	}
	p.shoot("waiting")
	p.moveTo("#filters")
	p.until("the new rows once the pointer has left", rows+`.length === 24 && document.getElementById("waiting").hidden`)

	p.press("j")
	fill(m, 25, 26)
	p.until("what waits for the focus", `document.getElementById("waiting").textContent === "2 new"`)
	p.run("see them", chromedp.Click(chromedp.CSS("#waiting")))
	p.until("the rows", rows+`.length === 26`)
	eval[any](p, `document.activeElement.blur()`)
	p.press("p")
	fill(m, 27, 27)
	p.until("what waits while the list is paused", `document.getElementById("waiting").textContent === "1 new"`)
	p.press("p")
	p.until("the row once the list follows again", rows+`.length === 27`)
}

func TestRowsOfAProgramThatWasStartedAnewGo(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 5)
	p := open(t, m.URL)
	p.goTo("")
	p.until("the list", rows+`.length === 5 && document.getElementById("live").textContent === "live"`)
	m.restart()
	fill(m, 6, 7)
	p.until("the rows of the new program alone", rows+`.length === 2 && `+rows+`.every(r => r.textContent.includes("GET /6") || r.textContent.includes("GET /7"))`)
	p.follow("#traces .trace a", `document.querySelector("#spans .span")`)
}

func TestClearElsewhereAndUndo(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 5)
	p := open(t, m.URL)
	p.goTo("")
	p.until("the list", rows+`.length === 5 && document.getElementById("live").textContent === "live"`)
	resp, err := http.Post(m.URL+"/debug/traces/clear", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.until("no row", rows+`.length === 0 && !document.getElementById("empty").hidden`)
	p.goTo("")
	p.follow(".undo button", rows+`.length === 5`)
	p.follow("#traces .trace a", `document.querySelector("#spans .span")`)
	p.goTo("")
	p.follow("#kept form button", rows+`.length === 0 && document.querySelector(".undo")`)
}

func TestAnOpenTraceOutlivesItsProgram(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 1)
	p := open(t, m.URL)
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	p.until("the trace", `document.querySelectorAll("#spans .span").length === 1`)
	m.restart()
	p.until("the note", `document.getElementById("late").textContent.includes("no longer")`)
	p.follow("#spans .span .name", `document.querySelector(".detail").textContent.includes("no longer")`)
	if eval[int](p, `document.querySelectorAll("#spans .span").length`) != 1 {
		t.Error("the span is gone")
	}
	p.troubles = nil // the browser logs the 404
}

func TestLinesFitTheirPlace(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	for i := range 9 {
		m.send(fmt.Sprintf("service-with-a-long-name-%d", i), spanAt(1, i+1, i, "work", float64(i), 30))
	}
	m.send("shop", spanAt(2, 20, 0, "GET /quick", 0, 5), spanAt(3, 21, 0, "job", 0, 3_600_000))
	p := open(t, m.URL)
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			p.look(width, 900, false)
			p.goTo("")
			p.until("the list", rows+`.length === 3`)
			if width == 1280 && !eval[bool](p, `(r => (m => m.textContent === "+6" && m.getBoundingClientRect().right <= m.closest("td").getBoundingClientRect().right)(
			r.querySelector(".chip.more")))(document.getElementById("trace-`+fmt.Sprintf("%032x", 1)+`"))`) {
				t.Error("the count of the other services is cut")
			}
			if wide := eval[float64](p, `document.getElementById("trace-`+fmt.Sprintf("%032x", 2)+`").querySelector(".bar rect").getBoundingClientRect().width`); wide < 15 {
				t.Errorf("beside a trace of an hour the bar of 5 ms is %v pixels wide", wide)
			}
			if strings.Contains(eval[string](p, `document.getElementById("traces").innerText`), "1 spans") {
				t.Error("1 spans")
			}
			p.shoot(fmt.Sprint("lines-", width))
		})
	}
}

func TestDeepAndEmptySpansAreSeen(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	for i := range 200 {
		m.send("shop", spanAt(1, i+1, i, fmt.Sprint("level ", i), float64(i)/10, 40-float64(i)/10))
	}
	m.send("shop", spanAt(1, 500, 1, "nothing", 20, 0), spanAt(1, 501, 1, "end", 40, 0))
	p := open(t, m.URL)
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	p.until("the trace", `document.querySelector("#spans .span")`)
	p.until("its deepest row", `(window.scrollTo(0, 190 * 24), [...document.querySelectorAll("#spans .op")].some(e => e.textContent === "level 190"))`)
	name := eval[float64](p, `[...document.querySelectorAll("#spans .op")].find(e => e.textContent === "level 190").getBoundingClientRect().width`)
	if name < 50 {
		t.Errorf("the name of a span 190 deep is %v pixels wide", name)
	}
	p.shootScreen("deep")
	p.until("the spans of no length", `(window.scrollTo(0, 1e6), [...document.querySelectorAll("#spans .op")].some(e => e.textContent === "nothing"))`)
	for _, name := range []string{"nothing", "end"} {
		p.subtest(name, func(t *testing.T) {
			wide := eval[float64](p, `[...document.querySelectorAll("#spans .op")].find(e => e.textContent === "`+name+`").closest(".span").querySelector(".line .b").getBoundingClientRect().width`)
			if wide < 1 {
				t.Errorf("%q is %v pixels wide", name, wide)
			}
		})
	}

	p.press("j")
	for range 60 {
		p.press("j")
	}
	for range 40 {
		p.press("k")
	}
	if !eval[bool](p, `document.activeElement.closest(".span").getBoundingClientRect().top >= document.querySelector(".ruler").getBoundingClientRect().bottom - 1`) {
		t.Error("the focus is under the ruler")
	}
	p.press(kb.Escape)
}

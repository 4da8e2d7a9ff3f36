package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const shownRows = `[...document.querySelectorAll("#spans > .span")]`

// busyTrace is a trace with an N+1, an error deep below, a clock that is off, and a job an hour later.
func busyTrace(m *memory) (path string) {
	m.send("shop", spanAt(1, 1, 0, "GET /products", 0, 300), spanAt(1, 2, 1, "render", 250, 40))
	var queries []jsonSpan
	for i := range 100 {
		queries = append(queries, spanAt(1, 100+i, 1, "SELECT products", float64(2*i), 2, "db.statement", fmt.Sprint("SELECT * FROM products WHERE id = ", i)))
	}
	m.send("db", queries...)
	m.send("stock", spanAt(1, 10, 1, "check", -1500, 20), failedSpan(spanAt(1, 11, 10, "read shelf", -1495, 5, "shelf", "b7"), "the shelf fell over"))
	return fmt.Sprintf("trace/%032x", 1)
}

func TestTheToolsOfATrace(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	path := busyTrace(m)
	p := open(t, m.URL)
	p.goTo("")
	p.until("the repeated calls in the list", rows+`[0].textContent.includes("SELECT products ×100, 200 ms")`)
	p.goTo(path)
	p.until("equal spans as one row", shownRows+`.some(r => r.textContent.includes("SELECT products ×100") && r.textContent.includes("200 ms")) && `+shownRows+`.length === 5`)
	p.until("the clock that is off to be moved, and said by how much", shownRows+`.some(r => r.textContent.includes("check") && r.textContent.includes("+1.64 s")) && document.querySelector(".ticks .t100").textContent === "300 ms"`)
	p.shoot("tools")

	p.press("e")
	p.until("the focus on the error", `document.activeElement.textContent.includes("read shelf")`)
	p.run("find", chromedp.SendKeys(chromedp.CSS("#controls input"), `"id = 77"`))
	p.until("one hit", `document.querySelector(".hits").textContent === "1 hit"`)
	p.press(kb.Enter)
	p.until("the hit among its siblings, marked", shownRows+`.length > 50 && `+shownRows+`.some(r => r.classList.contains("hit") && r.id === "span-`+fmt.Sprintf("%016x", 177)+`") && location.search.includes("find=")`)
	eval[any](p, `document.activeElement.blur()`)

	p.press("0")
	p.press("+")
	p.until("half of the trace", `location.search.includes("range=") && document.querySelector(".ticks .t0").textContent !== "0"`)
	zoomed := eval[string](p, `document.querySelector(".ticks .t0").textContent + new URLSearchParams(location.search).get("range")`)
	p.run("reload", chromedp.Reload())
	p.until("the same half", fmt.Sprintf(`document.querySelector(".ticks .t0").textContent + new URLSearchParams(location.search).get("range") === %q`, zoomed))
	p.press("0")
	p.until("the whole", `!location.search.includes("range=")`)

	p.goTo(path)
	p.until("the pills", `document.querySelector(".pills button")`)
	p.run("errors alone", chromedp.Click(chromedp.CSS(`.pills button`)))
	p.until("the error and what leads to it", shownRows+`.length === 3 && location.search.includes("only=errors")`)
	p.goTo(path)
	p.press("[")
	p.until("one row", shownRows+`.length === 1`)
	p.press("o")
	p.until("a level more", shownRows+`.length === 4`)
	p.press("]")
	p.until("every row", shownRows+`.length === 5`)
	p.press("?")
	p.until("the keys", `document.getElementById("help").open`)
	p.shootScreen("help")
	p.press(kb.Escape)
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			for _, dark := range []bool{false, true} {
				p.subtest(fmt.Sprintf("dark %t", dark), func(t *testing.T) {
					p.look(width, 900, dark)
					p.goTo(path + fmt.Sprintf("?span=%016x", 11))
					p.until("the detail", `document.querySelector(".detail")`)
					if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("the trace is %d pixels wider than a screen of %d", over, width)
					}
					p.shootScreen(fmt.Sprintf("busy-%d-%v", width, dark))
				})
			}
		})
	}
}

func TestTwentyThousandSpansInOnePage(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	const n = 20_000
	for k := 0; k < n; k += 5000 {
		var spans []jsonSpan
		for i := k; i < k+5000; i++ {
			parent := 0
			if i > 0 {
				parent = 1 + (i-1)/20
			}
			spans = append(spans, spanAt(1, i+1, parent, fmt.Sprint("work ", i), float64(i), 0.9))
		}
		m.send("shop", spans...)
	}
	p := open(t, m.URL)
	p.goTo("")
	p.opens(fmt.Sprintf("trace/%032x", 1), `document.querySelectorAll("#spans .span").length > 10 && !document.getElementById("controls").hidden`, usable)
	if nodes := eval[int](p, `document.querySelectorAll("*").length`); nodes > 3000 {
		t.Errorf("20,000 spans have %d nodes", nodes)
	}
	eval[any](p, `scrollTo(0, 1e9)`)
	p.until("the last row", `document.querySelector("#spans > .span:last-child .op").textContent === "work 8420"`)
}

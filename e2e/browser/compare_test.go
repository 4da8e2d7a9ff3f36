package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// beforeAndAfter sends two traces of one request. In the second one a query runs a hundred times, the cache is gone, and
// mail is sent by a new service, which fails.
func beforeAndAfter(m *memory) (a, b string) {
	const before, after = 1000, 2000
	m.send("shop", spanAt(1, before, 0, "GET /products", 0, 80), spanAt(1, before+1, before, "render", 60, 15))
	m.send("cache", spanAt(1, before+2, before, "GET products", 2, 3))
	m.send("db", spanAt(1, before+3, before, "SELECT products", 10, 40))
	m.send("shop", spanAt(2, after, 0, "GET /products", 30_000, 300), spanAt(2, after+1, after, "render", 30_280, 15))
	var queries []jsonSpan
	for i := range 100 {
		queries = append(queries, spanAt(2, after+100+i, after, "SELECT products", 30_010+2*float64(i), 1.9))
	}
	m.send("db", queries...)
	m.send("mail", failedSpan(spanAt(2, after+2, after, "send receipt", 30_220, 50), "no such mailbox"))
	m.send("smtp", failedSpan(spanAt(2, after+3, after+2, "RCPT TO", 30_225, 40), "550"))
	return fmt.Sprintf("%032x", 1), fmt.Sprintf("%032x", 2)
}

func TestCompareTwoTraces(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	a, b := beforeAndAfter(m)
	m.send("other", spanAt(3, 3000, 0, "job", 0, 5))
	p := open(t, m.URL)
	p.goTo("trace/" + a)
	p.follow(`a[href*="compare"]`, `document.querySelectorAll("#traces-to-compare tbody tr").length === 1`)
	p.shoot("choose")
	p.follow("#traces-to-compare .name a", `location.search.includes("b=`+b+`") && document.querySelectorAll("#compare tbody tr").length === 6`)
	for what, script := range map[string]string{
		"the query that runs more often": `rows.find(r => r.textContent.includes("SELECT products") && r.textContent.includes("×100") && r.textContent.includes("slower"))`,
		"what is gone":                   `rows.find(r => r.textContent.includes("GET products") && r.classList.contains("is-gone"))`,
		"what is new":                    `rows.find(r => r.textContent.includes("RCPT TO") && r.classList.contains("is-new") && r.textContent.includes("0 → 1 error"))`,
		"what did not change":            `rows.find(r => r.textContent.includes("render") && r.classList.contains("is-same"))`,
		"where the time went":            `document.querySelector(".causes li").textContent.includes("SELECT products")`,
		"the whole difference":           `document.querySelector(".verdict").textContent.includes("+220 ms")`,
	} {
		p.subtest(what, func(t *testing.T) {
			if !eval[bool](p, `(rows => !!(`+script+`))([...document.querySelectorAll("#compare tbody tr")])`) {
				t.Errorf("the page does not show %s", what)
			}
		})
	}
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			for _, dark := range []bool{false, true} {
				p.subtest(fmt.Sprintf("dark %t", dark), func(t *testing.T) {
					p.look(width, 900, dark)
					if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("the page is %d pixels wider than a screen of %d", over, width)
					}
					p.shoot(fmt.Sprintf("compare-%d-%v", width, dark))
				})
			}
		})
	}
	p.look(1280, 900, false)
	p.follow(`.views a[href*="show=new"]`, `document.querySelectorAll("#compare tbody tr").length === 3`)
	p.follow(`.verdict a[href*="a=`+b+`"]`, `document.querySelector(".verdict").textContent.includes("−220 ms")`)
	p.follow(`#compare td a`, `location.pathname.includes("/trace/") && location.search.includes("span=") && document.querySelector(".detail")`)
	p.goTo("compare?a=" + a)
	p.run("paste a header", chromedp.SendKeys(chromedp.CSS(`.choose [name=q]`), "00-"+b+"-00f067aa0ba902b7-01"+kb.Enter))
	p.until("the comparison", `document.querySelectorAll("#compare tbody tr").length === 6`)
}

func TestPinATrace(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	fill(m, 1, 3)
	p := open(t, m.URL)
	path := fmt.Sprintf("trace/%032x", 1)
	p.goTo(path)
	p.until("the trace", `document.querySelector("#spans .span")`)
	eval[int](p, `window.notReloaded = 1`)
	p.run("pin it", chromedp.Click(chromedp.CSS("#pin button")))
	p.until("the button to change", `document.querySelector("#pin button").textContent === "Unpin"`)
	if eval[int](p, `window.notReloaded || 0`) != 1 {
		t.Error("the page was reloaded")
	}
	p.goTo("")
	p.until("the mark in the list", rows+`.length === 3 && document.querySelector("#trace-`+fmt.Sprintf("%032x", 1)+` .pin")`)
	p.follow("#kept form button", rows+`.length === 1 && document.querySelector(".undo")`) // clear all
	p.goTo(path)
	p.until("the trace, which a clear leaves", `document.querySelector("#pin button").textContent === "Unpin"`)
	p.press("P")
	p.until("the pin to go", `document.querySelector("#pin button").textContent === "Pin"`)
	p.goTo("?q=pinned")
	p.until("no pinned trace", rows+`.length === 0`)
}

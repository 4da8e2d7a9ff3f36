package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestServicesOfALargeSystem(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	id := 0
	for n := range 25 {
		for _, callee := range []int{2*n + 1, 2*n + 2, (n*7 + 3) % 25} {
			if callee > n && callee < 25 {
				id += 2
				m.send(fmt.Sprintf("service-%02d", n), spanAt(id, id, 0, "call", 0, 9))
				s := spanAt(id, id+1, id, "answer", 1, 7)
				if callee%6 == 0 {
					s = failedSpan(s, "no")
				}
				m.send(fmt.Sprintf("service-%02d", callee), s)
			}
		}
	}
	p := open(t, m.URL)
	p.goTo("services")
	p.until("the graph", `document.querySelectorAll("#graph .box").length === 25 && document.querySelector("#graph .arrow.failed")`)
	p.shoot("services-25")
	p.run("focus", chromedp.Click(chromedp.CSS(`#graph .box:nth-of-type(5)`)))
	p.until("what is near it", `location.search.includes("focus=") && document.querySelectorAll("#graph .box").length < 25 && document.querySelector("#graph .box.focus")`)
	p.shoot("services-focus")
	m.send("service-99", spanAt(9998, 9998, 0, "call", 0, 9))
	m.send("service-04", spanAt(9998, 9999, 9998, "answer", 1, 7))
	p.moveTo(".brand")
	p.until("a new caller without a reload", `[...document.querySelectorAll("#graph .box title")].some(e => e.textContent.startsWith("service-99"))`)
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			for _, dark := range []bool{false, true} {
				p.subtest(fmt.Sprintf("dark %t", dark), func(t *testing.T) {
					p.look(width, 900, dark)
					p.goTo("services")
					p.until("the graph", `document.querySelector("#graph .box")`)
					if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("the services are %d pixels wider than a screen of %d", over, width)
					}
					p.shootScreen(fmt.Sprintf("services-%d-%v", width, dark))
				})
			}
		})
	}
}

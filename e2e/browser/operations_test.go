package browser_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const operationRows = `[...document.querySelectorAll("#operations tbody tr")]`

// busyOperations sends spans of 130 operations, of which every seventh fails at times.
func busyOperations(m *memory) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 130 {
		var spans []jsonSpan
		for k := range 3 + (130-n)/10 {
			id := 1 + n*1000 + k
			took := (1 + float64(n%9)*7) * (.5 + rng.Float64()*rng.Float64()*6)
			s := spanAt(id, id, 0, fmt.Sprintf("GET /thing/%03d", n), rng.Float64()*55_000, took)
			if n%7 == 0 && k%6 == 0 {
				s = failedSpan(s, "no")
			}
			spans = append(spans, s)
		}
		m.send(fmt.Sprintf("service-%02d", n%5), spans...)
	}
}

func TestOperationsOfALargeSystem(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	busyOperations(m)
	p := open(t, m.URL)
	p.goTo("operations")
	p.until("a hundred rows, the busiest first", operationRows+`.length === 100 && `+operationRows+`[0].textContent.includes("/thing/000")`)
	if stops := eval[int](p, `document.querySelectorAll("a, button, input, select, summary, [tabindex='0']").length`); stops > 150 {
		t.Errorf("%d tab stops", stops)
	}
	if !eval[bool](p, operationRows+`[0].querySelectorAll("svg.spark").length === 3`) {
		t.Error("the first row has not three lines")
	}
	p.shootScreen("operations-busy")
	p.follow(`#operations th.o6 a`, `location.search.includes("sort=p99") && document.querySelector("th.o6").getAttribute("aria-sort") === "descending"`)
	p.run("a part of a name", chromedp.SendKeys(chromedp.CSS(`#operations-filter [name=name]`), "00"+kb.Enter))
	p.until("what has it in its name", `location.search.includes("name=00") && location.search.includes("sort=p99") && `+operationRows+`.length === 11`)

	m.send("late", spanAt(999_999, 999_999, 0, "GET /thing/late00", 0, 900_000))
	p.until("a new operation, in its place", operationRows+`[0].textContent.includes("late00")`)
	p.moveTo("#operations tbody tr")
	m.send("later", spanAt(999_998, 999_998, 0, "GET /thing/later00", 0, 990_000))
	p.until("the live mark", `document.getElementById("live").textContent === "live"`)
	p.moveTo(".brand")
	p.until("the next one once the pointer has left", operationRows+`[0].textContent.includes("later00")`)

	p.goTo("operations?service=service-00&operation=GET+/thing/000&kind=internal")
	p.until("a point for each span", `document.querySelectorAll("#scatter circle").length === 16 && document.querySelectorAll("#scatter circle.f").length === 3`)
	if stops := eval[int](p, `document.querySelectorAll("a:not([tabindex='-1']), button, input, select, summary").length`); stops > 60 {
		t.Errorf("%d tab stops", stops)
	}
	p.shoot("operation-busy")
	for _, width := range []int64{1280, 390} {
		p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
			for _, dark := range []bool{false, true} {
				p.subtest(fmt.Sprintf("dark %t", dark), func(t *testing.T) {
					p.look(width, 900, dark)
					for name, path := range map[string]string{"operations": "operations", "operation": "operations?service=service-00&operation=GET+/thing/000&kind=internal"} {
						p.subtest(name, func(t *testing.T) {
							p.goTo(path)
							p.until("the page", `document.querySelector("#operations, #scatter")`)
							if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
								t.Errorf("%s is %d pixels wider than a screen of %d", name, over, width)
							}
							p.shootScreen(fmt.Sprintf("busy-%s-%d-%v", name, width, dark))
						})
					}
				})
			}
		})
	}
	p.look(1280, 900, false)
	p.goTo("operations?service=service-00&operation=GET+/thing/000&kind=internal")
	p.until("the points", `document.querySelector("#scatter circle")`)
	p.run("a point", chromedp.Click(chromedp.CSS(`#scatter a:nth-of-type(3) circle`)))
	p.until("its trace and its span", `location.pathname.includes("/trace/") && location.search.includes("span=") && document.querySelector(".detail")`)
}

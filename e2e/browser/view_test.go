package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/spanloom/spanloom/e2e/internal/shop"
)

const rows = `[...document.querySelectorAll("#traces .trace")]`

func TestTheTracePageWorksByMouseAndKeys(t *testing.T) {
	chromium(t) // before building anything
	front := shop.StartStorefront(t, nil)
	product := front.Request(t, "GET", "/products/42", "", 200)
	front.Request(t, "GET", "/products/7/reviews", "", 200)
	front.Request(t, "POST", "/orders", `{"product":"42","quantity":3}`, 200)
	failed := front.Request(t, "GET", "/fail", "", 502)
	panicked := front.Request(t, "GET", "/panic", "", 500)
	for _, id := range []string{product, failed, panicked} {
		front.View.Trace(t, id, 1)
	}
	p := open(t, front.URL)

	steps := []struct {
		name string
		run  func(t *testing.T)
	}{
		{"lists recent traces, newest first", func(t *testing.T) { list(p, panicked) }},
		{"shows new traces without a reload", func(t *testing.T) { liveUpdate(p, front) }},
		{"filters", func(t *testing.T) { filters(p, product) }},
		{"works by keyboard alone", func(t *testing.T) { keyboard(p, product) }},
		{"shows tags, logs and the stack of a panic", func(t *testing.T) { details(p, panicked) }},
		{"shows operations and services", func(t *testing.T) { summaries(p) }},
		{"works without JavaScript", func(t *testing.T) { withoutScript(p) }},
		{"is readable on a phone and in the dark", func(t *testing.T) { looks(p, product) }},
	}
	for _, s := range steps {
		if !t.Run(s.name, func(t *testing.T) {
			p.t = t
			s.run(t)
		}) {
			break
		}
	}
	p.t = t
}

func list(p *page, newest string) {
	p.goTo("")
	p.until("the list", rows+`.length >= 5`)
	if got := eval[string](p, rows+`[0].id`); got != "trace-"+newest {
		p.t.Errorf("first is %s, want %s", got, newest)
	}
	if !eval[bool](p, rows+`[0].textContent.includes("panic")`) {
		p.t.Error("the panic is not marked")
	}
	p.shoot("list")
}

func liveUpdate(p *page, front *shop.Storefront) {
	p.until("the live mark", `document.getElementById("live").textContent === "live"`)
	eval[int](p, `window.notReloaded = 1`)
	id := front.Request(p.t, "GET", "/products/7", "", 200)
	p.until("the new trace on top", rows+`[0].id === "trace-`+id+`"`)
	p.until("all its spans", rows+`[0].querySelector(".spans").textContent.startsWith("6 ")`)
	front.Request(p.t, "GET", "/slow", "", 200)
	p.until("the new operation to filter by", `[...document.querySelectorAll("#operations option")].some(o => o.value.includes("GET /slow"))`)
	if eval[int](p, `window.notReloaded || 0`) != 1 {
		p.t.Error("the page was reloaded")
	}
}

func filters(p *page, product string) {
	eval[bool](p, `(s => { s.value = "supplier"; return s.dispatchEvent(new Event("change", {bubbles: true})) })(
		document.querySelector("[name=service]"))`)
	p.until("the address with the service", `location.search.includes("service=supplier")`)
	p.until("traces of it alone", rows+`.length >= 2 && `+rows+`.every(r => r.textContent.includes("supplier"))`)

	p.goTo("")
	p.run("errors only", chromedp.Click(chromedp.CSS(`[name=errors]`)))
	p.until("failed traces alone", `location.search.includes("errors=1") && `+rows+`.length === 2 && `+
		rows+`.every(r => r.classList.contains("failed"))`)

	for _, f := range []struct{ query, want string }{
		{"status=502", `length === 1`},
		{"error GET", `length === 2`},
		{"http.route=/products/{id}", `length === 2`},
		{`operation="POST /orders"`, `length === 1`},
		{"orders !error", `length === 1`},
		{"dur>10m", `length === 0`},
		{product, ``},
		{"00-" + product + "-00f067aa0ba902b7-01", ``},
		{`level=info msg="asked" trace_id=` + product + ` took=3ms`, ``},
		{`{"trace_id":"` + product + `","msg":"asked"}`, ``},
		{p.origin + "/debug/traces/trace/" + product, ``},
	} {
		p.goTo("")
		p.run(f.query, chromedp.SendKeys(chromedp.CSS(`#search [name=q]`), f.query+kb.Enter))
		if f.want == "" {
			p.until(f.query+" to open its trace", `location.pathname === "/debug/traces/trace/`+product+`" && document.querySelectorAll("#spans .span").length === 6`)
			continue
		}
		p.until(f.query+" in effect", `location.search.includes("q=") && `+rows+`.`+f.want)
	}
	p.goTo("")
	p.run("a wrong query", chromedp.SendKeys(chromedp.CSS(`#search [name=q]`), "dur>soon"+kb.Enter))
	p.until("what is wrong with it", `document.querySelector("#problems").textContent.includes("soon")`)
	p.shoot("filtered")
}

// keyboard opens the trace that a filter leaves, folds and unfolds it, opens a span, and leaves.
func keyboard(p *page, product string) {
	p.goTo("?operation=GET+/products/{id}")
	p.until("the list", rows+`.length === 2`)
	p.press("j")
	p.press("j")
	p.until("focus on the second trace", `document.activeElement.closest(".trace") === `+rows+`[1]`)
	p.press("k")
	p.until("focus on the first trace", `document.activeElement.closest(".trace") === `+rows+`[0]`)
	p.press("j")
	p.press(kb.Enter)
	p.until("the trace", `location.pathname.endsWith("/trace/`+product+`")`)

	const shown = `[...document.querySelectorAll("#spans .span:not([hidden])")]`
	p.until("six spans", shown+`.length === 6`)
	p.shoot("trace")
	p.press("j")
	p.press("h")
	p.until("the root folded", shown+`.length === 1`)
	p.press("l")
	p.until("the root unfolded", shown+`.length === 6`)
	p.press("j")
	p.press(kb.Enter)
	p.until("the second span's detail", `document.querySelector("#pane .detail") && `+shown+`[1].classList.contains("open")`)
	if !eval[bool](p, `location.search.includes("span=")`) {
		p.t.Error("the address does not hold the open span")
	}
	p.shoot("span")
	p.press(kb.Escape)
	p.until("the detail closed", `!document.querySelector(".detail")`)
	p.press(kb.Escape)
	p.until("back at the trace in the list", `location.search.includes("operation=") && document.activeElement.closest(".trace") === `+rows+`[1]`)
}

func details(p *page, panicked string) {
	p.goTo("trace/" + panicked)
	p.run("click the span", chromedp.Click(chromedp.CSS(`#spans .span .name`)))
	p.until("the detail", `document.querySelector(".detail")`)
	for _, part := range []string{"GET /panic", "the shelf fell over", "http.route", "storefront.go", "span.kind"} {
		if !eval[bool](p, fmt.Sprintf(`document.querySelector(".detail").textContent.includes(%q)`, part)) {
			p.t.Errorf("the detail does not show %q", part)
		}
	}
	p.shoot("panic")
}

func summaries(p *page) {
	p.goTo("operations")
	p.until("operations", `document.querySelectorAll("#operations tbody tr").length >= 8`)
	p.shoot("operations")
	p.run("open one", chromedp.Click(chromedp.CSS(`#operations tbody tr .name a`)))
	p.until("its histogram", `document.querySelector("svg.histogram")`)
	p.shoot("operation")
	p.goTo("services")
	p.until("the call graph", `document.querySelectorAll("#graph .box").length >= 3 && document.querySelectorAll("#graph .arrow").length >= 2`)
	p.shoot("services")
}

func withoutScript(p *page) {
	command(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	defer func() {
		command(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	}()
	p.goTo("")
	eval[any](p, `document.querySelector("[name=service]").value = "supplier"`)
	p.follow(`#filters button`, `location.search.includes("service=supplier") && `+rows+`.length >= 2 && `+
		rows+`.every(r => r.textContent.includes("supplier"))`)
	p.follow(`#traces .trace a`, `location.pathname.includes("/trace/") && document.querySelector("#spans .span")`)
	p.follow(`#spans .span .fold`, `document.querySelector("#spans .fold[aria-expanded=false]")`)
	p.follow(`#spans .span .name`, `document.querySelector(".detail")`)
}

func looks(p *page, product string) {
	defer p.look(1280, 900, false)
	for _, dark := range []bool{false, true} {
		for name, size := range map[string][2]int64{"wide": {1280, 900}, "phone": {390, 844}} {
			p.look(size[0], size[1], dark)
			for page, path := range map[string]string{"list": "", "trace": "trace/" + product, "services": "services", "operations": "operations"} {
				p.goTo(path)
				p.until("the page", `true`)
				if over := eval[int](p, `document.documentElement.scrollWidth - window.innerWidth`); over > 0 {
					p.t.Errorf("%s is %d pixels wider than the %s screen", page, over, name)
				}
				p.shoot(fmt.Sprintf("%s-%s-%s", page, name, map[bool]string{true: "dark", false: "light"}[dark]))
			}
		}
	}
}

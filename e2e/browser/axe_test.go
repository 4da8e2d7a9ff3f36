package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/spanloom/spanloom/e2e/internal/npm"
)

// finding is one of axe's, with the elements that it is about.
type finding struct {
	Rule, Impact, Help string
	Nodes              []string
}

const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
	Rule: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.slice(0, 3).map(n => n.target.join(" ") + ": " + n.failureSummary)})))`

// TestEveryPageIsAccessible runs axe on each page, light and dark, on a wide screen and on a phone.
func TestEveryPageIsAccessible(t *testing.T) {
	npm.Need(t, "npm")
	chromium(t)
	axe, err := os.ReadFile(filepath.Join(npm.Install(t, "axe"), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	m := serveMemory(t)
	busy := busyTrace(m)
	m.send("shop", failedSpan(spanAt(2, 2000, 0, "GET /products", 400, 90, "http.status_code", "500", "http.method", "GET", "http.url", "http://shop.test/products?x=1"), "boom"))
	m.send("db", spanAt(2, 2001, 2000, "SELECT products", 410, 40, "db.statement", "SELECT *\nFROM products"))
	var large []jsonSpan
	for i := range 3000 {
		large = append(large, spanAt(3, 10_000+i, map[bool]int{true: 10_000 + (i-1)/20}[i > 0], fmt.Sprint("work ", i), float64(i), 1))
	}
	m.send("worker", large...)
	p := open(t, m.URL)
	trace := func(n int) string { return fmt.Sprintf("%032x", n) }
	for name, path := range map[string]string{
		"list": "", "list without a match": "?q=nothing", "list by errors": "?errors=1&sort=duration", "trace": busy, "span": busy + fmt.Sprintf("?span=%016x", 11),
		"large trace": "trace/" + trace(3), "choose": "compare?a=" + trace(2), "compare": "compare?a=" + trace(1) + "&b=" + trace(2), "no trace": "trace/77",
		"operations": "operations", "operation": "operations?service=shop&operation=GET+/products&kind=internal", "services": "services",
	} {
		for _, width := range []int64{1280, 390} {
			for _, dark := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d, dark %v", name, width, dark), func(t *testing.T) {
					p.t = t
					defer func() { p.t = m.t }()
					p.look(width, 900, dark)
					p.goTo(path)
					p.until("the page", `document.querySelector("main *") && (!document.getElementById("controls") || !document.getElementById("controls").hidden)`)
					eval[any](p, string(axe)+";0")
					for _, f := range result(p, "axe", chromedp.Evaluate[[]finding](runAxe, chromedp.EvalAwaitPromise)) {
						report := t.Logf
						if f.Impact == "serious" || f.Impact == "critical" {
							report = t.Errorf
						}
						report("%s: %s (%s)\n%q", f.Impact, f.Help, f.Rule, f.Nodes)
					}
				})
			}
		}
	}
	p.troubles = nil // the browser logs the 404 of a trace that is not here
}

package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestNamesFromRightToLeft checks that a service stands before its operation, and a count behind its service, whatever
// the direction of their letters.
func TestNamesFromRightToLeft(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	m.send("שירות-קניות", failedSpan(spanAt(1, 1, 0, "قائمة المنتجات", 0, 20), "שגיאה"))
	p := open(t, m.URL)
	before := func(a, b string) string {
		return fmt.Sprintf(`(() => { const x = document.querySelector(%q), y = document.querySelector(%q);
			return x && y && x.getBoundingClientRect().right <= y.getBoundingClientRect().left + 1; })()`, a, b)
	}
	p.goTo("")
	p.until("the service before the operation", before(".trace .svc", ".trace .op"))
	p.until("the operation before the error", before(".trace .op", ".trace .why"))
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	p.until("the service before its count", `(() => { const chip = document.querySelector(".legend .chip"), b = chip.querySelector("b");
		return chip.getBoundingClientRect().right - b.getBoundingClientRect().right < 2; })()`)
}

func TestEveryColumnOfTheListHasRoom(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	var spans []jsonSpan
	for n := range 12_000 {
		spans = append(spans, spanAt(1, n+1, min(n, 1), "GET /everything", float64(n), 5))
	}
	m.send("shop", spans...)
	p := open(t, m.URL)
	for _, width := range []int64{1280, 800, 770} {
		p.look(width, 800, false)
		p.goTo("")
		p.until(fmt.Sprint("all of the columns, ", width, " wide"), `(() => { const row = document.querySelector("tr.trace");
			return row && [".spans", ".errors", ".dur", ".age"].every(c => { const td = row.querySelector(c); return td.scrollWidth <= td.clientWidth && td.clientWidth > 20; }); })()`)
	}
}

// TestErrorsInsideOfAGroupAreMarked has six equal spans, below one of which a call fails.
func TestErrorsInsideOfAGroupAreMarked(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	m.send("shop", spanAt(1, 1, 0, "GET /products", 0, 100))
	for n := range 6 {
		m.send("shop", spanAt(1, 10+n, 1, "worker", float64(n), 50))
	}
	m.send("stock", failedSpan(spanAt(1, 20, 13, "check", 10, 5), "out of stock"))
	p := open(t, m.URL)
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	p.until("the mark", shownRows+`.some(r => r.textContent.includes("worker ×6") && r.querySelector('.dot[title="1 error below"]'))`)
}

func TestPaperHasEveryRow(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	var spans []jsonSpan
	for n := range 300 {
		spans = append(spans, spanAt(1, n+1, min(n, 1), fmt.Sprint("call ", n), float64(n), 5))
	}
	m.send("shop", spans...)
	p := open(t, m.URL)
	const note = `getComputedStyle(document.getElementById("spans"), "::after").content`
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	p.until("what is on the screen", shownRows+`.length > 10 && `+shownRows+`.length < 150`)
	eval[any](p, `dispatchEvent(new Event("beforeprint"))`)
	p.until("all of it", note+` === "none" && `+shownRows+`.length === 300 && parseFloat(document.getElementById("spans").style.paddingBottom) === 0`)
	eval[any](p, `dispatchEvent(new Event("afterprint"))`)
	p.until("what is on the screen", shownRows+`.length < 150`)

	for n := range 300 {
		spans[n] = spanAt(1, n+301, 1, fmt.Sprint("more ", n), float64(n), 5)
	}
	m.send("shop", spans...)
	p.goTo(fmt.Sprintf("trace/%032x", 1))
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	eval[any](p, `dispatchEvent(new Event("beforeprint"))`)
	p.until("a note of the others", note+` === '"400 of 600 rows"' && `+shownRows+`.length === 400`)
}

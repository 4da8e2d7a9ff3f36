package browser_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
)

const besideRows = `[...document.querySelectorAll("#beside li")]`

func TestAWideScreenShowsThreePanes(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	busyTrace(m)
	for n := 2; n <= 40; n++ {
		m.send("shop", spanAt(n, 10*n, 0, fmt.Sprintf("GET /%d", n), -float64(n), 5, "http.status_code", "200", "http.target", fmt.Sprintf("/%d?x=1", n)))
	}
	m.send("other", spanAt(50, 500, 0, "job", 0, 5))
	trace := func(n int) string { return fmt.Sprintf("trace/%032x", n) }
	p := open(t, m.URL)
	p.look(1100, 800, false)
	p.goTo("?service=shop")
	p.follow(`#trace-`+fmt.Sprintf("%032x", 5)+` a`, besideRows+`.length === 40`)
	p.until("the open trace to be marked", `document.querySelector("#beside [aria-current]").textContent.includes("GET /5")`)
	if eval[bool](p, besideRows+`.some(li => li.textContent.includes("job"))`) {
		t.Error("the list holds what its filter leaves out")
	}
	p.follow(`#spans .name`, `document.querySelector("#pane .detail")`)
	if !eval[bool](p, `(() => {
		const [list, middle, span] = ["beside", "waterfall", "pane"].map(id => document.getElementById(id).getBoundingClientRect());
		return list.width > 200 && list.right <= middle.left && middle.width > 300 && middle.right <= span.left && span.width > 250 && span.right <= innerWidth;
	})()`) {
		t.Error("the three panes do not stand beside each other")
	}
	p.shootScreen("panes-1100")

	p.goTo(trace(5))
	p.until("the list", besideRows+`.length === 40`)
	p.press("J")
	p.until("the next trace", `location.pathname.endsWith("`+trace(6)+`") && document.querySelector("#beside [aria-current]").textContent.includes("GET /6")`)
	p.press("K")
	p.until("the one before", `location.pathname.endsWith("`+trace(5)+`")`)
	p.follow(`#beside li:nth-child(20) a`, `!location.pathname.endsWith("`+trace(5)+`") && document.querySelector("#beside li:nth-child(20) [aria-current]")`)
	m.send("shop", spanAt(60, 600, 0, "GET /new", 5, 5))
	p.until("what is new, which waits", `document.querySelector("#beside .waiting").textContent === "1 new" && `+besideRows+`.length === 40`)
	m.send("shop", failedSpan(spanAt(3, 31, 30, "late", 0, 1), "it broke"))
	p.until("the row that changed, in its place", besideRows+`.some(li => li.textContent.includes("GET /3") && li.textContent.includes("it broke"))`)
	p.follow(`#beside .waiting`, besideRows+`.length === 41 && document.querySelector("#beside .waiting").hidden`)

	p.press("t")
	p.until("the list gone", `getComputedStyle(document.getElementById("beside")).display === "none"`)
	p.run("reload", chromedp.Reload())
	p.until("that it stays gone", `document.querySelector("#spans .span") && getComputedStyle(document.getElementById("beside")).display === "none"`)
	p.run("show it", chromedp.Click(chromedp.CSS("#hide-list")))
	p.until("the list again", besideRows+`.length === 41`)
	for _, dark := range []bool{false, true} {
		p.subtest(fmt.Sprintf("dark %t", dark), func(t *testing.T) {
			for _, width := range []int64{1600, 1280, 1100, 1000, 390} {
				p.subtest(fmt.Sprintf("%d pixels", width), func(t *testing.T) {
					p.look(width, 900, dark)
					p.goTo(trace(1) + fmt.Sprintf("?span=%016x", 11))
					p.until("the trace with a span", `document.querySelector(".detail")`)
					if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
						t.Errorf("the trace is %d pixels wider than a screen of %d", over, width)
					}
					if shown := eval[bool](p, `document.getElementById("beside").offsetWidth > 0`); shown != (width >= 1100) {
						t.Errorf("on a screen of %d the list is shown: %v", width, shown)
					}
					p.shootScreen(fmt.Sprintf("panes-%d-%v", width, dark))
				})
			}
		})
	}
}

// drop lets a file fall on the page.
func (p *page) drop(name, content string) {
	p.t.Helper()
	file, err := json.Marshal([]string{name, content})
	if err != nil {
		p.t.Fatal(err)
	}
	eval[any](p, fmt.Sprintf(`(([name, content]) => {
		const files = new DataTransfer();
		files.items.add(new File([content], name));
		for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, {dataTransfer: files, bubbles: true, cancelable: true}));
	})(%s)`, file))
}

func TestDroppedFilesOpen(t *testing.T) {
	chromium(t)
	from, m := serveMemory(t), serveMemory(t)
	path := busyTrace(from)
	download := func(suffix string) string {
		resp, err := http.Get(from.URL + "/debug/traces/" + path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status, err)
		}
		return string(body)
	}
	p := open(t, m.URL)
	for _, suffix := range []string{"/jaeger.json", "/otlp.json"} {
		m.restart()
		p.goTo("")
		p.until("an empty list", `!document.getElementById("empty").hidden`)
		p.drop("trace.json", download(suffix))
		p.until("the trace of "+suffix, `location.pathname.endsWith("`+path+`") && `+shownRows+`.some(r => r.textContent.includes("SELECT products ×100"))`)
	}
	p.drop("notes.txt", "my notes")
	p.until("what is wrong with the file", `[...document.querySelectorAll("[role=alert]")].some(e => e.textContent.includes("notes.txt") && e.textContent.includes("not JSON"))`)
	p.drop("empty.json", `{"data":[]}`)
	p.until("that a file holds no trace", `[...document.querySelectorAll("[role=alert]")].some(e => e.textContent.includes("empty.json"))`)
	p.shootScreen("dropped")
	p.troubles = nil // the browser logs the answers
}

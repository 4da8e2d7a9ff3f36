// Package browser_test looks at the trace page in a real browser.
package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/spanloom/spanloom/e2e/internal/proc"
	"github.com/spanloom/spanloom/e2e/internal/wait"
)

// chromium finds a browser. In CI there must be one; elsewhere the test is skipped.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no chromium, which CI needs for the browser test: apt-get install chromium")
	}
	t.Skip("SKIPPED: no chromium on PATH; apt-get install chromium to run the browser test")
	return ""
}

// page is one tab. Any script error, console error or request to elsewhere fails the test.
type page struct {
	t      *testing.T
	ctx    context.Context
	origin string

	mu       sync.Mutex
	troubles []string
}

// open starts a browser that may talk to origin only.
func open(t *testing.T, origin string) *page {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.WSURLReadTimeout(wait.Patience), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("headless", true), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.WindowSize(1280, 900),
	}
	allocator, cancelBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelBrowser)
	ctx, cancelTab := chromedp.NewContext(allocator)
	t.Cleanup(cancelTab)
	p := &page{t: t, ctx: ctx, origin: origin}
	if err := chromedp.Listen(ctx, p.watch); err != nil { // starts the browser
		t.Fatal(err)
	}
	command(p, network.Enable, network.EnableParams{})
	command(p, log.Enable, cdp.Empty{})
	t.Cleanup(p.verdict)
	return p
}

func (p *page) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.troubles = append(p.troubles, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			p.troubles = append(p.troubles, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, p.origin+"/debug/traces") && !strings.HasPrefix(url, "data:") {
			p.troubles = append(p.troubles, "request to "+url)
		}
	}
}

func (p *page) verdict() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, trouble := range p.troubles {
		p.t.Error(trouble)
	}
}

// subtest runs f as a subtest, which is failed by the page's methods, too.
func (p *page) subtest(name string, f func(t *testing.T)) {
	outer := p.t
	defer func() { p.t = outer }()
	outer.Run(name, func(t *testing.T) {
		p.t = t
		f(t)
	})
}

// run does something within a deadline.
func (p *page) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, wait.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// result runs an action in the page and returns its result.
func result[T any](p *page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, wait.Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// command sends one to the browser.
func command[P, R any](p *page, c cdp.Command[P, R], params P) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, wait.Patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, c, params); err != nil {
		p.t.Fatalf("%s: %v", c.Method, err)
	}
}

// goTo loads a path below the page.
func (p *page) goTo(path string) {
	p.t.Helper()
	p.run("load "+path, chromedp.Navigate(p.origin+"/debug/traces/"+path))
}

// eval returns what a script says.
func eval[T any](p *page, script string) T {
	p.t.Helper()
	return result(p, script, chromedp.Evaluate[T](script))
}

// until polls a script on a loaded page until it says true.
func (p *page) until(what, script string) {
	p.t.Helper()
	deadline := time.Now().Add(wait.Patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(p.ctx, wait.Patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+script+`)`)) // fails while a page is being left
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			p.shootScreen("failed")
			p.t.Fatalf("never: %s (%s), %v", what, script, err)
		}
		<-tick.C
	}
}

// follow clicks a link or button, by the browser's own means, and waits for what it leads to.
func (p *page) follow(selector, then string) {
	p.t.Helper()
	eval[any](p, fmt.Sprintf("document.querySelector(%q).click()", selector))
	p.until("what "+selector+" leads to", then)
}

// press types keys on whatever has the focus.
func (p *page) press(keys string) {
	p.t.Helper()
	p.run("press "+keys, chromedp.KeyEvent(keys))
}

// shoot saves a picture of the whole page in shots.
func (p *page) shoot(name string) {
	p.t.Helper()
	p.save(name, result(p, "screenshot", chromedp.FullScreenshot(100)))
}

// shootScreen saves a picture of what is on the screen of a page too long for a whole picture.
func (p *page) shootScreen(name string) {
	p.t.Helper()
	p.save(name, result(p, "screenshot", chromedp.CaptureScreenshot()))
}

func (p *page) save(name string, picture []byte) {
	p.t.Helper()
	dir := filepath.Join(proc.Root(), "shots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// look is how the page is shown.
func (p *page) look(width, height int64, dark bool) {
	p.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p.run("look", chromedp.EmulateViewport(width, height))
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

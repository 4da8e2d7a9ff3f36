package browser_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestThePageIsLiveAgainBehindAProxy that answers 502 while the program is started anew. After such an answer, browsers
// do not connect again by themselves.
func TestThePageIsLiveAgainBehindAProxy(t *testing.T) {
	chromium(t)
	m := serveMemory(t)
	var down atomic.Bool
	refused := make(chan struct{}, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			select {
			case refused <- struct{}{}:
			default:
			}
			return
		}
		m.view.Load().ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	p := open(t, proxy.URL)
	p.goTo("")
	const state = `document.getElementById("live").textContent`
	p.until("the live mark", state+` === "live"`)
	down.Store(true)
	m.restart()
	select {
	case <-refused:
	case <-time.After(time.Minute):
		t.Fatal("the page does not connect again")
	}
	p.until("the mark that it is not live", state+` === "not live"`)
	down.Store(false)
	p.until("the live mark", state+` === "live"`)
	fill(m, 1, 1)
	p.until("the trace of the new program", rows+`.length === 1`)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = slices.DeleteFunc(p.troubles, func(s string) bool { return strings.Contains(s, "502 (Bad Gateway)") })
}

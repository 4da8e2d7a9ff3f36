package traceview_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/spanloom/spanloom/traceview"
)

// linksOf returns the addresses that a page refers to.
func linksOf(page string) (links []string) {
	before, page, more := strings.Cut(page, `="`)
	for more {
		var value string
		value, page, _ = strings.Cut(page, `"`)
		for _, attribute := range []string{"href", "src", "action", "data-events"} {
			if strings.HasSuffix(before, attribute) {
				links = append(links, html.UnescapeString(value))
			}
		}
		before, page, more = strings.Cut(page, `="`)
	}
	return links
}

// crawler opens pages as a browser does, each once.
type crawler struct {
	client *http.Client
	links  map[string][]string // of each page that was opened
}

// crawl opens a page and all that it leads to, at most forty pages, and returns how many it saw.
func (c *crawler) crawl(t *testing.T, first string) int {
	t.Helper()
	todo, seen := []string{first}, map[string]bool{}
	for len(todo) > 0 && len(seen) < 40 {
		at, _, _ := strings.Cut(todo[0], "#")
		todo = todo[1:]
		path, _, _ := strings.Cut(at, "?")
		if seen[at] || strings.HasSuffix(path, "/clear") || strings.HasSuffix(path, "/pin") || strings.HasSuffix(path, "/events") {
			continue
		}
		seen[at] = true
		links, opened := c.links[at]
		if !opened {
			links = c.open(t, at)
			c.links[at] = links
		}
		todo = append(todo, links...)
	}
	return len(seen)
}

// open returns the links of a page.
func (c *crawler) open(t *testing.T, at string) (links []string) {
	t.Helper()
	res, err := c.client.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %v", at, res.StatusCode, err)
		return nil
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	for _, link := range linksOf(string(body)) {
		next, err := res.Request.URL.Parse(link)
		if err != nil {
			t.Errorf("%s: bad link %q", at, link)
			continue
		}
		links = append(links, next.String())
	}
	return links
}

func TestLinksWorkHoweverTheViewIsMounted(t *testing.T) {
	mux := func(pattern string, h http.Handler) http.Handler {
		m := http.NewServeMux()
		m.Handle(pattern, h)
		return m
	}
	for name, c := range map[string]struct {
		prefix string
		mount  func(v *traceview.View) http.Handler
		pages  []string
	}{
		"ServeMux": {"", func(v *traceview.View) http.Handler { return mux("/debug/traces/", v) }, []string{"/debug/traces/", "/debug/traces"}},
		"ServeMux both": {"", func(v *traceview.View) http.Handler {
			m := http.NewServeMux()
			m.Handle("/debug/traces", v)
			m.Handle("/debug/traces/", v)
			return m
		}, []string{"/debug/traces", "/debug/traces/"}},
		"StripPrefix":       {"", func(v *traceview.View) http.Handler { return mux("/t/", http.StripPrefix("/t", v)) }, []string{"/t/"}},
		"StripPrefix slash": {"", func(v *traceview.View) http.Handler { return mux("/t/", http.StripPrefix("/t/", v)) }, []string{"/t/"}},
		"StripPrefix bare":  {"", func(v *traceview.View) http.Handler { return http.StripPrefix("/t", v) }, []string{"/t", "/t/"}},
		"own prefix":        {"/x/y/", func(v *traceview.View) http.Handler { return mux("/x/y/", v) }, []string{"/x/y/"}},
		"escaped prefix":    {"/my tools/100%", func(v *traceview.View) http.Handler { return v }, []string{"/my%20tools/100%25/"}},
		"root":              {"/", func(v *traceview.View) http.Handler { return v }, []string{"/"}},
		"chi Mount":         {"", func(v *traceview.View) http.Handler { r := chi.NewRouter(); r.Mount("/debug/traces", v); return r }, []string{"/debug/traces", "/debug/traces/"}},
		"chi Mount in Route": {"", func(v *traceview.View) http.Handler {
			r := chi.NewRouter()
			r.Route("/admin", func(r chi.Router) { r.Mount("/debug/traces", v) })
			return r
		}, []string{"/admin/debug/traces", "/admin/debug/traces/"}},
		"chi StripSlashes": {"", func(v *traceview.View) http.Handler {
			r := chi.NewRouter()
			r.Use(middleware.StripSlashes)
			r.Mount("/debug/traces", v)
			return r
		}, []string{"/debug/traces", "/debug/traces/"}},
		"chi RedirectSlashes": {"", func(v *traceview.View) http.Handler {
			r := chi.NewRouter()
			r.Use(middleware.RedirectSlashes)
			r.Mount("/debug/traces", v)
			return r
		}, []string{"/debug/traces"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := newView(t, traceview.Config{Prefix: c.prefix})
			trace := traceHex(shopTrace(t, v))
			server := httptest.NewServer(c.mount(v))
			defer server.Close()
			browser := crawler{server.Client(), map[string][]string{}}
			for _, p := range c.pages {
				if n := browser.crawl(t, server.URL+p); n < 15 {
					t.Errorf("only %d pages are linked from %s", n, p)
				}
			}
			at := server.URL + strings.TrimSuffix(c.pages[0], "/") + "/trace/" + trace
			if n := browser.crawl(t, at+"?span="+spanHex(4)); n < 15 {
				t.Errorf("only %d pages are linked from a trace", n)
			}
		})
	}
}

func TestOtherPathsAreNotFound(t *testing.T) {
	v := newView(t, traceview.Config{})
	for _, p := range []string{"/debug/tracesx", "/debug/traces/x", "/debug/traces/trace", "/elsewhere", "/debug/traces/static/", "/debug/traces/static/..%2fview.go", "/debug/traces/static/../view.go"} {
		t.Run(p, func(t *testing.T) {
			if w := call(v, "GET", p, nil); w.Code != 404 {
				t.Errorf("%d, want 404", w.Code)
			}
		})
	}
}

// TestAWrongPrefixIsNamed mounts a view elsewhere than its Config says.
func TestAWrongPrefixIsNamed(t *testing.T) {
	r := chi.NewRouter()
	r.Mount("/admin/spans", newView(t, traceview.Config{}))
	w := call(r, "GET", "/admin/spans/", nil)
	if w.Code != 404 || !strings.Contains(w.Body.String(), "set Config.Prefix") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestAssetsAreReadOnce sends the tag of an asset back, as browsers do.
func TestAssetsAreReadOnce(t *testing.T) {
	v := newView(t, traceview.Config{})
	for _, name := range []string{"view.css", "view.js", "trace.js", "beside.js", "icon.svg"} {
		t.Run(name, func(t *testing.T) {
			path := "/debug/traces/static/" + name
			first := call(v, "GET", path, nil)
			again := call(v, "GET", path, nil, "If-None-Match", first.Header().Get("ETag"))
			other := call(v, "GET", path, nil, "If-None-Match", `"other"`)
			if first.Code != 200 || again.Code != 304 || again.Body.Len() > 0 || other.Body.String() != first.Body.String() {
				t.Errorf("%d, then %d with %d bytes, and %d for another tag", first.Code, again.Code, again.Body.Len(), other.Code)
			}
			if got := again.Header().Get("Cache-Control"); got != "no-cache" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func TestServiceNamesMayHoldSlashes(t *testing.T) {
	v := newView(t, traceview.Config{})
	s := root(1, noon, ms(1))
	put(t, v, "team/shop", s)
	contains(t, get(t, v, "/debug/traces/api/services/team%2Fshop/operations"), `["GET /"]`)
	contains(t, get(t, v, "/debug/traces/api/services"), `"data":["team/shop"]`)
}

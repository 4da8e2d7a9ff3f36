package traceview_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/spanloom/spanloom/traceview"
)

var link = regexp.MustCompile(`(?:href|src|action|data-events)="([^"]*)"`)

// crawl opens the page and all that it links to, as a browser would, and returns how many pages it saw.
func crawl(t *testing.T, client *http.Client, first string) int {
	t.Helper()
	todo, seen := []string{first}, map[string]bool{}
	for len(todo) > 0 && len(seen) < 40 {
		at := todo[0]
		todo = todo[1:]
		here, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		here.Fragment = ""
		if seen[here.String()] || strings.HasSuffix(here.Path, "/clear") || strings.HasSuffix(here.Path, "/pin") || strings.HasSuffix(here.Path, "/events") {
			continue
		}
		seen[here.String()] = true
		res, err := client.Get(here.String())
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", at, res.StatusCode)
			continue
		}
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(body), -1) {
			next, err := res.Request.URL.Parse(html.UnescapeString(m[1]))
			if err != nil {
				t.Errorf("%s: bad link %q", at, m[1])
				continue
			}
			todo = append(todo, next.String())
		}
	}
	return len(seen)
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
			for _, p := range c.pages {
				if n := crawl(t, server.Client(), server.URL+p); n < 15 {
					t.Errorf("only %d pages are linked from %s", n, p)
				}
			}
			at := server.URL + strings.TrimSuffix(c.pages[0], "/") + "/trace/" + trace
			if n := crawl(t, server.Client(), at+"?span="+spanHex(4)); n < 15 {
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

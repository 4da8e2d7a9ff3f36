package httpmw

import (
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/uber/jaeger-client-go"

	"github.com/spanloom/spanloom/internal/woven"
)

// wovenMux does what a [http.ServeMux] does with the rules woven in.
func wovenMux(m *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, before := wovenRouting(r); state != nil {
			defer wovenRouted(state, before, r)
		}
		m.ServeHTTP(w, r)
	})
}

// wovenChi does what the routing of a chi router does with the rules woven in: it is the last of its middlewares.
func wovenChi(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, before, patterns := wovenChiRouting(r); state != nil {
			defer wovenChiRouted(state, before, patterns, r)
		}
		next.ServeHTTP(w, r)
	})
}

// newContext is a middleware of the user's that hides the router below and gives it a request of its own.
func newContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(r.Context()))
	})
}

// deny is a middleware of the user's that answers some requests before they are routed.
func deny(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "deny" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func wovenRouters() http.Handler {
	ok := func(http.ResponseWriter, *http.Request) {}
	inner := chi.NewRouter()
	inner.Use(wovenChi)
	inner.Get("/items/{id}", ok)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mux/{name}", ok)
	root := chi.NewRouter()
	root.Use(deny)
	root.Use(wovenChi)
	root.Get("/users/{id}", ok)
	root.Get("/set/{id}", func(_ http.ResponseWriter, r *http.Request) { SetRoute(r, "/by-hand") })
	root.Get("/again/{id}", func(w http.ResponseWriter, r *http.Request) { // another request in the course of this one
		r2 := r.Clone(r.Context())
		r2.Header, r2.RequestURI, r2.URL.Path = http.Header{}, "", "/users/9"
		wovenMux(mux).ServeHTTP(w, r2)
	})
	root.Mount("/shop", inner)
	root.Mount("/mux", wovenMux(mux))
	outer := http.NewServeMux()
	outer.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wovenChiServing(root, r)
		root.ServeHTTP(w, r)
	}))
	outer.HandleFunc("GET /own/{x...}", ok)
	return wovenMux(outer)
}

func TestTemplateFromInside(t *testing.T) {
	for target, want := range map[string]string{
		"/users/7":      "GET /users/{id}",
		"/shop/items/7": "GET /shop/items/{id}",
		"/shop/nothing": "GET",
		"/nothing":      "GET",
		"/mux/7":        "GET /mux/{name}",
		"/own/a/b":      "GET /own/{x...}",
		"/set/7":        "GET /by-hand",
		"/again/7":      "GET /again/{id}",
		"/users/7?deny": "GET /users/{id}",
		"/no/7?deny":    "GET",
	} {
		t.Run(target, func(t *testing.T) {
			for name, around := range map[string]func(http.Handler) http.Handler{
				"woven":   func(h http.Handler) http.Handler { return weave(t, h) },
				"by hand": Middleware(nil),
			} {
				t.Run(name, func(t *testing.T) {
					defer woven.Force()()
					_, reporter := kitTracer(t)
					send(around(newContext(wovenRouters())), target)
					var names []string
					for _, s := range reporter.GetSpans() {
						names = append(names, s.(*jaeger.Span).OperationName())
					}
					if diff := cmp.Diff([]string{want}, names); diff != "" {
						t.Errorf("%s", diff)
					}
				})
			}
		})
	}
}

// wovenRouter does what a router of another kind does with the rules woven in: it reports a template, or none.
func wovenRouter(template string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if state, before := wovenRouting(r); state != nil {
			defer wovenReport(state, before, template)
		}
		next(w, r)
	})
}

// TestTemplateOfOtherRouters has them in all places, one of which is below a ServeMux that itself knows only where they
// begin.
func TestTemplateOfOtherRouters(t *testing.T) {
	ok := func(http.ResponseWriter, *http.Request) {}
	below := func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", h)
		return mux
	}
	users := wovenRouter("/users/:id", ok)
	for name, c := range map[string]struct {
		handler http.Handler
		want    string
	}{
		"alone":                       {users, "GET /users/:id"},
		"hidden":                      {newContext(users), "GET /users/:id"},
		"below a ServeMux":            {below(users), "GET /users/:id"},
		"below a woven ServeMux":      {wovenMux(below(users).(*http.ServeMux)), "GET /users/:id"},
		"no route":                    {below(wovenRouter("", ok)), "GET"},
		"one in another":              {wovenRouter("/users/*any", users.ServeHTTP), "GET /users/:id"},
		"by the program":              {wovenRouter("/a", func(_ http.ResponseWriter, r *http.Request) { SetRoute(r, "/b") }), "GET /b"},
		"behind an endpoint of chi":   {behindChi("/users/{id}", wovenRouter("/x", ok)), "GET /users/{id}"},
		"behind a wildcard of chi":    {behindChi("/users/*", users), "GET /users/:id"},
		"another request than ours":   {wovenRouter("/a", func(w http.ResponseWriter, r *http.Request) { send(users, "/users/9") }), "GET /a"},
		"without a request, in tests": {wovenRouter("/a", func(http.ResponseWriter, *http.Request) { wovenRouting(nil) }), "GET /a"},
	} {
		t.Run(name, func(t *testing.T) {
			defer woven.Force()()
			_, reporter := kitTracer(t)
			send(weave(t, c.handler), "/users/7")
			spans := reporter.GetSpans()
			if len(spans) != 1 || spans[0].(*jaeger.Span).OperationName() != c.want {
				t.Errorf("%v, want %q", spans, c.want)
			}
		})
	}
}

func behindChi(pattern string, h http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Handle(pattern, h)
	return r
}

func TestTemplateWithoutARequestToReportTo(t *testing.T) {
	if w := send(wovenRouters(), "/users/7"); w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
}

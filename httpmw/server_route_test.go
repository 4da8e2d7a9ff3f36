package httpmw_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

// early is a tracer that remembers the name each span starts with.
type early struct {
	*spantest.Tracer
	names []string
}

func (e *early) StartSpan(name string, opts ...opentracing.StartSpanOption) opentracing.Span {
	e.names = append(e.names, name)
	return e.Tracer.StartSpan(name, opts...)
}

type mw = func(http.Handler) http.Handler

func ok(w http.ResponseWriter, r *http.Request) {}

// copying is a middleware as most are: it gives its next a copy of the request.
func copying(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		type key struct{}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, 1)))
	})
}

// api is a chi router with one of everything; use is applied on the root, in on the mounted routers.
func api(use, in []mw) *chi.Mux {
	r := chi.NewRouter()
	r.Use(use...)
	r.Get("/", ok)
	r.Get("/users/{id}", ok)
	r.Post("/users/{id}", ok)
	r.Head("/head", ok)
	r.Options("/users/{id}", ok)
	r.Connect("/tunnel", ok)
	r.Get("/files/*", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) })
	r.Route("/orgs/{org}", func(r chi.Router) {
		r.Use(in...)
		r.Get("/", ok)
		r.Get("/teams/{team}", ok)
		r.Route("/deep", func(r chi.Router) {
			r.Get("/{x}/{y:[a-z]+}", ok)
		})
	})
	sub := chi.NewRouter()
	sub.Use(in...)
	sub.Get("/items/{item}", ok)
	r.Mount("/shop", sub)
	return r
}

// suppressing is api behind a middleware that matches routes through the route context.
func suppressing() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.SupressNotFound(r))
	r.Mount("/", api(nil, nil))
	return r
}

type routeCase struct{ request, name, early string }

func same(request, name string) routeCase { return routeCase{request, name, name} }

func checkRoutes(t *testing.T, build func(mw) http.Handler, cases ...routeCase) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.request, func(t *testing.T) {
			tracer := &early{Tracer: spantest.New(t)}
			h := build(httpmw.Middleware(tracer))
			method, target, _ := strings.Cut(tt.request, " ")
			handle(h, method, target)
			span := one(t, tracer.Tracer)
			if span.OperationName != tt.name || tracer.names[0] != tt.early {
				t.Errorf("%s: name %q, started as %q; want %q, %q", tt.request, span.OperationName, tracer.names[0], tt.name, tt.early)
			}
			_, route, found := strings.Cut(tt.name, " ")
			if got := span.Tag("http.route"); found && got != route || !found && got != nil {
				t.Errorf("%s: http.route = %v, want %q", tt.request, got, route)
			}
		})
	}
}

var apiCases = []routeCase{
	same("GET /", "GET /"),
	same("GET /users/7", "GET /users/{id}"),
	same("GET /users/a%2Fb", "GET /users/{id}"),
	same("OPTIONS /users/7", "OPTIONS /users/{id}"),
	same("CONNECT /tunnel", "CONNECT /tunnel"),
	same("GET /files/none", "GET /files/*"),
	same("GET /orgs/o", "GET /orgs/{org}"),
	same("GET /orgs/o/", "GET /orgs/{org}"),
	same("GET /orgs/o/teams/t", "GET /orgs/{org}/teams/{team}"),
	same("GET /orgs/o/deep/1/z", "GET /orgs/{org}/deep/{x}/{y:[a-z]+}"),
	same("GET /shop/items/5", "GET /shop/items/{item}"),
	same("GET /nowhere", "GET"),
	same("DELETE /users/7", "DELETE"),
	same("GET /orgs/o/nowhere", "GET"),
	same("POST /shop/items/5", "POST"),
	same("GET /shop/nowhere", "GET"),
	{"GET /shop", "GET", "GET /shop"},
	{"GET /shop/", "GET", "GET /shop"},
	same("FOO /users/7", "HTTP"),
}

func TestRoutesOfChi(t *testing.T) {
	for name, build := range map[string]func(mw) http.Handler{
		"Use on the root":          func(m mw) http.Handler { return api([]mw{m}, nil) },
		"copying before":           func(m mw) http.Handler { return api([]mw{copying, m}, nil) },
		"copying after":            func(m mw) http.Handler { return api([]mw{m, copying}, []mw{copying}) },
		"twice":                    func(m mw) http.Handler { return api([]mw{m}, []mw{m}) },
		"outside":                  func(m mw) http.Handler { return m(api(nil, nil)) },
		"outside, copying before":  func(m mw) http.Handler { return copying(m(api(nil, nil))) },
		"outside, copying inside":  func(m mw) http.Handler { return m(api([]mw{copying}, []mw{copying})) },
		"Timeout and Recoverer":    func(m mw) http.Handler { return api([]mw{m, middleware.Recoverer, middleware.Timeout(1e9)}, nil) },
		"behind both":              func(m mw) http.Handler { return api([]mw{middleware.Recoverer, middleware.Timeout(1e9), m}, nil) },
		"GetHead":                  func(m mw) http.Handler { return api([]mw{middleware.GetHead, m}, nil) },
		"RouteHeaders":             func(m mw) http.Handler { return api([]mw{middleware.RouteHeaders().Handler, m}, nil) },
		"on a ServeMux, outside":   func(m mw) http.Handler { mux := http.NewServeMux(); mux.Handle("/", api(nil, nil)); return m(mux) },
		"on a ServeMux, in":        func(m mw) http.Handler { mux := http.NewServeMux(); mux.Handle("/", m(api(nil, nil))); return mux },
		"CleanPath, behind it":     func(m mw) http.Handler { return api([]mw{middleware.CleanPath, m}, nil) },
		"StripSlashes in sub":      func(m mw) http.Handler { return api([]mw{m}, []mw{middleware.StripSlashes}) },
		"StripSlashes outside":     func(m mw) http.Handler { return middleware.StripSlashes(m(api(nil, nil))) },
		"GetHead inside, outside":  func(m mw) http.Handler { return m(api([]mw{middleware.GetHead}, nil)) },
		"SupressNotFound, outside": func(m mw) http.Handler { return m(suppressing()) },
	} {
		t.Run(name, func(t *testing.T) { checkRoutes(t, build, apiCases...) })
	}
}

func TestRoutesBehindOthersNeedTheRouter(t *testing.T) {
	r := api(nil, nil)
	for _, tt := range apiCases {
		t.Run(tt.request, func(t *testing.T) {
			tracer := &early{Tracer: spantest.New(t)}
			method, target, _ := strings.Cut(tt.request, " ")
			handle(httpmw.Middleware(tracer, httpmw.WithRoutes(r))(copying(r)), method, target)
			if got := one(t, tracer.Tracer).OperationName; got != tt.name || tracer.names[0] != tt.early {
				t.Errorf("%s: %q, started as %q, want %q", tt.request, got, tracer.names[0], tt.name)
			}
		})
	}
}

func TestRoutesInMountedRouters(t *testing.T) {
	cases := []routeCase{
		same("GET /orgs/o", "GET /orgs/{org}"),
		same("GET /orgs/o/teams/t", "GET /orgs/{org}/teams/{team}"),
		same("GET /orgs/o/deep/1/z", "GET /orgs/{org}/deep/{x}/{y:[a-z]+}"),
		same("GET /shop/items/5", "GET /shop/items/{item}"),
		same("GET /orgs/o/nowhere", "GET"),
		same("POST /shop/items/5", "POST"),
	}
	slashes := []routeCase{same("GET /orgs/o/teams/t/", "GET /orgs/{org}/teams/{team}"), same("GET /shop/items/5/", "GET /shop/items/{item}")}
	checkRoutes(t, func(m mw) http.Handler { return api(nil, []mw{m}) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{copying}, []mw{copying, m, copying}) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{middleware.StripSlashes}, []mw{m}) }, append(cases, slashes...)...)
	checkRoutes(t, func(m mw) http.Handler { return api(nil, []mw{middleware.StripSlashes, m}) }, append(cases, slashes...)...)
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{middleware.CleanPath}, []mw{m}) },
		append(cases, same("GET /orgs//o//teams/t", "GET /orgs/{org}/teams/{team}"))...)
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{middleware.GetHead}, []mw{m}) },
		append(cases, same("HEAD /shop/items/5", "HEAD /shop/items/{item}"))...)
}

// TestNotFoundThatAnswers: a mounted router's NotFound may serve a page, and still is no route.
func TestNotFoundThatAnswers(t *testing.T) {
	build := func(outer, inner []mw) http.Handler {
		r := chi.NewRouter()
		r.Use(outer...)
		r.Route("/app", func(r chi.Router) {
			r.Use(inner...)
			r.Get("/home", ok)
			r.NotFound(ok)
		})
		return r
	}
	cases := []routeCase{same("GET /app/home", "GET /app/home"), same("GET /app/elsewhere", "GET")}
	checkRoutes(t, func(m mw) http.Handler { return build([]mw{m}, nil) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return build(nil, []mw{m}) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return m(build(nil, nil)) }, cases...)
}

// TestRoutesLentByInnerMiddlewares: a middleware that a tool puts around everything learns the route from the one that
// the user has put into the router.
func TestRoutesLentByInnerMiddlewares(t *testing.T) {
	opaque := func(h http.Handler) http.Handler { return http.HandlerFunc(h.ServeHTTP) }
	cases := []routeCase{
		{"GET /users/7", "GET /users/{id}", "GET"},
		{"GET /orgs/o/teams/t", "GET /orgs/{org}/teams/{team}", "GET"},
		{"GET /shop/items/5", "GET /shop/items/{item}", "GET"},
		{"GET /files/none", "GET /files/*", "GET"},
		same("GET /nowhere", "GET"), same("GET /shop", "GET"), same("DELETE /users/7", "DELETE"),
	}
	checkRoutes(t, func(m mw) http.Handler { return m(opaque(api([]mw{m}, nil))) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return m(opaque(api([]mw{m}, []mw{m}))) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return m(opaque(api(nil, []mw{m}))) }, cases[1:3]...)
	checkRoutes(t, func(m mw) http.Handler { return m(api([]mw{middleware.StripSlashes, m}, nil)) },
		routeCase{"GET /users/7/", "GET /users/{id}", "GET"})
	on := func(m mw, h http.Handler) http.Handler { mux := http.NewServeMux(); mux.Handle("/", h); return m(mux) }
	checkRoutes(t, func(m mw) http.Handler { return on(m, opaque(api([]mw{m}, nil))) },
		routeCase{"GET /users/7", "GET /users/{id}", "GET /"}, same("GET /", "GET /"))
	checkRoutes(t, func(m mw) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /users/{id}", m(http.HandlerFunc(ok)))
		return m(opaque(mux))
	}, routeCase{"GET /users/7", "GET /users/{id}", "GET"}, same("GET /nowhere", "GET"))
}

// TestNotFoundByTheRootOfAMount: an endpoint that finds no such user is the route all the same.
func TestNotFoundByTheRootOfAMount(t *testing.T) {
	type users struct{ *chi.Mux }
	build := func(outer []mw, mount func(r chi.Router, pattern string, routes func(chi.Router))) http.Handler {
		r := chi.NewRouter()
		r.Use(outer...)
		mount(r, "/users/{id}", func(r chi.Router) {
			r.Get("/", http.NotFound)
			mount(r, "/posts", func(r chi.Router) { r.Post("/", http.NotFound) })
		})
		return r
	}
	cases := []routeCase{
		same("GET /users/7", "GET /users/{id}"),
		same("GET /users/7/", "GET /users/{id}"),
		same("POST /users/7/posts", "POST /users/{id}/posts"),
		{"GET /users/7/posts", "GET", "GET /users/{id}/posts"},
		{"PUT /users/7", "PUT", "PUT /users/{id}"},
		same("GET /users/7/elsewhere", "GET"),
	}
	for name, mount := range map[string]func(chi.Router, string, func(chi.Router)){
		"Route": func(r chi.Router, pattern string, routes func(chi.Router)) { r.Route(pattern, routes) },
		"Mount of an embedded router": func(r chi.Router, pattern string, routes func(chi.Router)) {
			sub := users{chi.NewMux()}
			routes(sub)
			r.Mount(pattern, sub)
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkRoutes(t, func(m mw) http.Handler { return build([]mw{m}, mount) }, cases...)
			checkRoutes(t, func(m mw) http.Handler { return m(build(nil, mount)) }, cases...)
			checkRoutes(t, func(m mw) http.Handler { return build([]mw{m, middleware.GetHead}, mount) },
				append(cases, routeCase{"HEAD /users/7", "HEAD /users/{id}", "HEAD /users/{id}"})...)
		})
	}
}

func TestRoutesOfInlineMiddlewares(t *testing.T) {
	sub := func() http.Handler { r := chi.NewRouter(); r.Get("/items/{item}", ok); return r }
	checkRoutes(t, func(m mw) http.Handler {
		r := chi.NewRouter()
		r.With(m).Get("/with/{id}", ok)
		r.Group(func(r chi.Router) {
			r.Use(m)
			r.Get("/group/{id}", ok)
			r.Get("/all/*", ok)
			r.Mount("/shop", sub())
		})
		r.Route("/sub", func(r chi.Router) { r.With(m).Get("/with/{id}", ok) })
		r.Method("GET", "/wrapped/{id}", m(http.HandlerFunc(ok)))
		r.Mount("/mounted", m(sub()))
		return r
	},
		same("GET /with/1", "GET /with/{id}"),
		same("GET /group/1", "GET /group/{id}"),
		same("GET /all/a/b", "GET /all/*"),
		same("GET /shop/items/1", "GET /shop/items/{item}"),
		same("GET /shop/nothing", "GET"),
		same("GET /sub/with/1", "GET /sub/with/{id}"),
		same("GET /wrapped/1", "GET /wrapped/{id}"),
		routeCase{"GET /mounted/items/1", "GET /mounted/items/{item}", "GET /mounted/items/{item}"},
	)
}

func serveMux(wrap mw) *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string) { mux.Handle(pattern, wrap(http.HandlerFunc(ok))) }
	for _, p := range []string{"GET /users/{id}", "example.com/h/{x}", "POST example.com/h/{x}", "/tree/{rest...}", "/{$}", "/slash/{id}/"} {
		handle(p)
	}
	return mux
}

func plain(h http.Handler) http.Handler { return h }

func TestRoutesOfServeMux(t *testing.T) {
	cases := []routeCase{
		same("GET /users/7", "GET /users/{id}"),
		same("HEAD /users/7", "HEAD /users/{id}"),
		same("GET http://example.com/h/1", "GET /h/{x}"),
		same("POST http://example.com/h/1", "POST /h/{x}"),
		same("GET /tree/a/b", "GET /tree/{rest...}"),
		same("GET /", "GET /{$}"),
	}
	unmatched := []routeCase{
		same("DELETE /users/7", "DELETE"),
		same("GET /nowhere", "GET"),
		same("CONNECT /slash/secret", "CONNECT"),
		same("CONNECT /nowhere", "CONNECT"),
		same("SCAN1 /nowhere", "HTTP"),
		same("GET /slash/5", "GET /slash/{id}/"),
	}
	all := append(unmatched, cases...)
	checkRoutes(t, func(m mw) http.Handler { return serveMux(m) }, cases...)
	checkRoutes(t, func(m mw) http.Handler {
		return serveMux(func(h http.Handler) http.Handler { return copying(m(copying(h))) })
	}, cases...)
	checkRoutes(t, func(m mw) http.Handler { return m(serveMux(plain)) }, all...)
	checkRoutes(t, func(m mw) http.Handler { return m(serveMux(copying)) }, all...)
	checkRoutes(t, func(m mw) http.Handler {
		outer := http.NewServeMux()
		outer.Handle("/", serveMux(plain))
		return m(outer)
	}, cases...)
	checkRoutes(t, func(m mw) http.Handler {
		r := chi.NewRouter()
		r.Mount("/", m(serveMux(plain)))
		return r
	}, cases[:1]...)
	for _, tt := range all {
		mux := serveMux(plain)
		tracer := &early{Tracer: spantest.New(t)}
		method, target, _ := strings.Cut(tt.request, " ")
		handle(httpmw.Middleware(tracer, httpmw.WithMux(mux))(copying(mux)), method, target)
		if got := one(t, tracer.Tracer).OperationName; got != tt.name || tracer.names[0] != tt.early {
			t.Errorf("WithMux, %s: %q, started as %q, want %q", tt.request, got, tracer.names[0], tt.name)
		}
	}
}

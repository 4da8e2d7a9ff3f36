package httpmw_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

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

// suppressing is api behind a middleware that asks the router through the route context.
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
		tracer := &early{Tracer: spantest.New(t)}
		method, target, _ := strings.Cut(tt.request, " ")
		handle(httpmw.Middleware(tracer, httpmw.WithRoutes(r))(copying(r)), method, target)
		if got := one(t, tracer.Tracer).OperationName; got != tt.name || tracer.names[0] != tt.early {
			t.Errorf("%s: %q, started as %q, want %q", tt.request, got, tracer.names[0], tt.name)
		}
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

// hosts is a router by host, as go-chi/hostrouter is: it says that it matches everything and cannot list its routes.
type hosts map[string]chi.Router

func (h hosts) Routes() []chi.Route                              { return h[""].Routes() }
func (h hosts) Middlewares() chi.Middlewares                     { return nil }
func (h hosts) Match(*chi.Context, string, string) bool          { return true }
func (h hosts) Find(*chi.Context, string, string) string         { return "" }
func (h hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) { h[r.Host].ServeHTTP(w, r) }

// TestRoutersThatCannotListRoutes serve as they do without the middleware, and routes are known afterwards.
func TestRoutersThatCannotListRoutes(t *testing.T) {
	on := func(prefix string, use, in []mw) http.Handler {
		r := chi.NewRouter()
		r.Use(use...)
		r.Mount(prefix, hosts{"example.com": api(nil, in)})
		return r
	}
	names := []string{"GET /users/{id}", "GET /shop/items/{item}", "GET /orgs/{org}/teams/{team}"}
	requests := []string{"GET /users/7", "GET /shop/items/5", "GET /orgs/o/teams/t"}
	for i, name := range names {
		checkRoutes(t, func(m mw) http.Handler { return on("/", []mw{m}, nil) }, routeCase{requests[i], name, "GET"})
		checkRoutes(t, func(m mw) http.Handler { return m(on("/", nil, nil)) }, same(requests[i], "GET"))
	}
	checkRoutes(t, func(m mw) http.Handler { return on("/v1", []mw{m}, nil) }, routeCase{"GET /v1/users/7", "GET /v1/users/{id}", "GET"})
	for i := range names[1:] {
		checkRoutes(t, func(m mw) http.Handler { return on("/", nil, []mw{m}) }, routeCase{requests[i+1], names[i+1], "GET"})
	}
	checkRoutes(t, func(m mw) http.Handler { return on("/", []mw{m}, nil) }, routeCase{"GET /shop/nothing", "GET", "GET"})
}

// TestRoutesAreCorrected: what rewrites the path behind the middleware is seen only afterwards, and from outside not at all.
func TestRoutesAreCorrected(t *testing.T) {
	strip := []mw{middleware.StripSlashes}
	corrected := []routeCase{
		{"GET /users/7/", "GET /users/{id}", "GET"},
		{"GET /shop/items/5/", "GET /shop/items/{item}", "GET"},
	}
	checkRoutes(t, func(m mw) http.Handler { return api(append([]mw{m}, strip...), nil) }, corrected...)
	checkRoutes(t, func(m mw) http.Handler { return m(api(strip, nil)) }, same("GET /users/7/", "GET"), same("GET /shop/items/5/", "GET"))
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{m, middleware.GetHead}, nil) },
		routeCase{"HEAD /users/7", "HEAD /users/{id}", "HEAD"}, same("HEAD /head", "HEAD /head"))
	checkRoutes(t, func(m mw) http.Handler { return m(api([]mw{middleware.GetHead}, nil)) },
		same("HEAD /users/7", "HEAD"), same("HEAD /head", "HEAD /head"))
	checkRoutes(t, func(m mw) http.Handler { return api(append(strip, m), nil) },
		same("GET /users/7/", "GET /users/{id}"), same("GET /shop/items/5/", "GET /shop/items/{item}"))
}

// TestRouteOfRequestsAnsweredOnTheWay is the one they would have taken.
func TestRouteOfRequestsAnsweredOnTheWay(t *testing.T) {
	deny := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	}
	cases := []routeCase{same("GET /shop/items/5", "GET /shop/items/{item}"), same("GET /orgs/o/teams/t", "GET /orgs/{org}/teams/{team}")}
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{m, deny}, nil) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return api([]mw{m}, []mw{deny}) }, cases...)
	checkRoutes(t, func(m mw) http.Handler { return m(api(nil, []mw{deny})) }, cases...)
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

// TestRoutesBehindTimeoutHandlers: what is being routed when the middleware ends is not its to read.
func TestRoutesBehindTimeoutHandlers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	timeout := func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Millisecond, "late") }
	slow := func(use ...mw) *chi.Mux {
		r := chi.NewRouter()
		r.Use(use...)
		r.Get("/slow/{id}", func(w http.ResponseWriter, r *http.Request) { <-release })
		return r
	}
	for name, build := range map[string]func(opentracing.Tracer) http.Handler{
		"around": func(tracer opentracing.Tracer) http.Handler {
			r := slow()
			return httpmw.Middleware(tracer, httpmw.WithRoutes(r))(timeout(r))
		},
		"in": func(tracer opentracing.Tracer) http.Handler { return slow(httpmw.Middleware(tracer), timeout) },
	} {
		tracer := spantest.New(t)
		w := handle(build(tracer), "GET", "/slow/1")
		span := one(t, tracer)
		if w.Code != 503 || span.OperationName != "GET /slow/{id}" || span.Tag("http.route") != "/slow/{id}" {
			t.Errorf("%s: %d, %q, %v", name, w.Code, span.OperationName, span.Tags())
		}
	}
}

// TestRoutesKnownLateBehindTimeoutHandlers: nor where the route is not known from before. One that answers 503 is.
func TestRoutesKnownLateBehindTimeoutHandlers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	timeout := func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Millisecond, "late") }
	router := func(use ...mw) *chi.Mux {
		r := chi.NewRouter()
		r.Use(append(use, middleware.StripSlashes)...)
		r.Get("/slow/{id}", func(w http.ResponseWriter, r *http.Request) { <-release })
		r.Get("/busy/{id}", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		return r
	}
	mount := func() *chi.Mux { // a router each: what still runs has a route context that chi uses again
		mounted := chi.NewRouter()
		mounted.Mount("/shop", router(timeout))
		return mounted
	}
	plain, mounted, copied := router(), mount(), mount()
	for _, tt := range []struct {
		routes  chi.Routes
		handler http.Handler
		target  string
		want    string
	}{
		{plain, timeout(plain), "/slow/1/", "GET"},
		{copied, copying(copied), "/shop/slow/1/", "GET"},
		{mounted, mounted, "/shop/slow/1/", "GET"},
		{plain, plain, "/busy/1/", "GET"},
	} {
		tracer := spantest.New(t)
		w := handle(httpmw.Middleware(tracer, httpmw.WithRoutes(tt.routes))(tt.handler), "GET", tt.target)
		if got := one(t, tracer).OperationName; got != tt.want || w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d, name %q, want %q", tt.target, w.Code, got, tt.want)
		}
	}
}

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

// TestScannersAddNoNames: whatever is asked for, the names are those of the routes and of the methods.
func TestScannersAddNoNames(t *testing.T) {
	for _, build := range []func(mw) http.Handler{
		func(m mw) http.Handler { return api([]mw{m}, nil) },
		func(m mw) http.Handler { return m(api(nil, nil)) },
		func(m mw) http.Handler { return m(serveMux(plain)) },
		func(m mw) http.Handler { return m(http.HandlerFunc(ok)) },
	} {
		tracer := spantest.New(t)
		h := build(httpmw.Middleware(tracer))
		for i := range 50 {
			for _, method := range []string{"GET", "CONNECT", fmt.Sprintf("M%d", i)} {
				for _, path := range []string{"/scan%d", "/%d/.env", "/orgs/%d/.git", "/shop/%d", "/slash/%d", "/tree%d//../x"} {
					handle(h, method, fmt.Sprintf(path, i))
				}
			}
		}
		names := map[string]bool{}
		for _, s := range tracer.Finished() {
			names[s.OperationName] = true
		}
		for name := range names {
			if name != "GET" && name != "CONNECT" && name != "HTTP" && !strings.HasSuffix(name, " /slash/{id}/") {
				t.Errorf("scanners minted the name %q", name)
			}
		}
	}
}

func TestNameHook(t *testing.T) {
	tracer := spantest.New(t)
	hook := func(r *http.Request, route string) string { return "my " + r.Method + " " + route }
	h := api([]mw{httpmw.Middleware(tracer, httpmw.WithOperationName(nil), httpmw.WithOperationName(hook)), middleware.StripSlashes}, nil)
	handle(h, "GET", "/users/7/")
	if got := one(t, tracer).OperationName; got != "my GET /users/{id}" {
		t.Errorf("name %q", got)
	}
	broken := spantest.New(t)
	handle(httpmw.Middleware(broken, httpmw.WithOperationName(func(*http.Request, string) string { panic("x") }))(api(nil, nil)), "GET", "/users/7")
	span := one(t, broken)
	if span.OperationName != "GET /users/{id}" || span.Tag("spanloom.hook_panics") != 1 {
		t.Errorf("name %q, hook panics %v", span.OperationName, span.Tag("spanloom.hook_panics"))
	}
}

// TestNamesSetByHandlersStay, also if the route turns out different.
func TestNamesSetByHandlersStay(t *testing.T) {
	for _, target := range []string{"/x/1", "/x/1/"} {
		tracer, reporter := newJaeger(t, always)
		r := chi.NewRouter()
		r.Use(httpmw.Middleware(tracer), middleware.StripSlashes)
		r.Get("/x/{id}", func(w http.ResponseWriter, r *http.Request) {
			opentracing.SpanFromContext(r.Context()).SetOperationName("mine")
		})
		handle(r, "GET", target)
		if got := spanName(reporter); got != "mine" {
			t.Errorf("%s: name %q, want the handler's", target, got)
		}
	}
}

// TestPerOperationSampling: samplers that decide by the operation see the route.
func TestPerOperationSampling(t *testing.T) {
	for name, build := range map[string]func(mw) http.Handler{
		"inside":  func(m mw) http.Handler { return api([]mw{m}, nil) },
		"mounted": func(m mw) http.Handler { return api(nil, []mw{m}) },
		"outside": func(m mw) http.Handler { return m(api(nil, nil)) },
		"ServeMux": func(m mw) http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("/shop/items/{item}", ok)
			return m(mux)
		},
	} {
		tracer, reporter := newJaeger(t, byOperation("GET /shop/items/{item}"))
		var downstream string
		observe := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h := http.Header{}
				sc := opentracing.SpanFromContext(r.Context()).Context()
				tracer.Inject(sc, opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(h))
				downstream = h.Get("Traceparent")
				next.ServeHTTP(w, r)
			})
		}
		m := httpmw.Middleware(tracer)
		h := build(func(next http.Handler) http.Handler {
			if rt, ok := next.(chi.Routes); ok && name == "outside" {
				return httpmw.Middleware(tracer, httpmw.WithRoutes(rt))(observe(next))
			}
			if mux, ok := next.(*http.ServeMux); ok {
				return httpmw.Middleware(tracer, httpmw.WithMux(mux))(observe(next))
			}
			return m(observe(next))
		})
		handle(h, "GET", "/shop/items/5")
		if reporter.SpansSubmitted() != 1 || !strings.HasSuffix(downstream, "-01") {
			t.Errorf("%s: %d spans reported, header %q; want 1, sampled", name, reporter.SpansSubmitted(), downstream)
		}
		handle(h, "GET", "/shop/nowhere")
		if reporter.SpansSubmitted() != 1 {
			t.Errorf("%s: an unmatched request was sampled", name)
		}
	}
}

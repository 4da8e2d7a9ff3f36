package httpmw_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

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
		t.Run(name, func(t *testing.T) {
			checkRoutes(t, func(m mw) http.Handler { return on("/", []mw{m}, nil) }, routeCase{requests[i], name, "GET"})
			checkRoutes(t, func(m mw) http.Handler { return m(on("/", nil, nil)) }, same(requests[i], "GET"))
		})
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
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			w := handle(build(tracer), "GET", "/slow/1")
			span := one(t, tracer)
			if w.Code != 503 || span.OperationName != "GET /slow/{id}" || span.Tag("http.route") != "/slow/{id}" {
				t.Errorf("%d, %q, %v", w.Code, span.OperationName, span.Tags())
			}
		})
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
	for name, tt := range map[string]struct {
		routes  chi.Routes
		handler http.Handler
		target  string
		want    string
	}{
		"around":     {plain, timeout(plain), "/slow/1/", "GET"},
		"copying":    {copied, copying(copied), "/shop/slow/1/", "GET"},
		"mounted":    {mounted, mounted, "/shop/slow/1/", "GET"},
		"no timeout": {plain, plain, "/busy/1/", "GET"},
	} {
		t.Run(name, func(t *testing.T) {
			tracer := spantest.New(t)
			w := handle(httpmw.Middleware(tracer, httpmw.WithRoutes(tt.routes))(tt.handler), "GET", tt.target)
			if got := one(t, tracer).OperationName; got != tt.want || w.Code != http.StatusServiceUnavailable {
				t.Errorf("%d, name %q, want %q", w.Code, got, tt.want)
			}
		})
	}
}

package httpmw

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

// router finds the template of the route that a request will take, or has taken. It only reads what routers say of
// themselves: a route context that it planted would change how a router further in behaves.
type router struct {
	routes chi.Routes     // a chi router that the middleware is outside of; nil if unknown
	next   *chi.Mux       // the very next handler, if it is a chi router
	mux    *http.ServeMux // a mux that the middleware is outside of; nil if unknown
	mounts mountCache
	first  atomic.Pointer[chi.Mux] // the router whose first middleware this is
}

// newRouter looks at the handler below a middleware, and at what the options name. Of other types of handlers, such as
// those that embed a router, it is not known what they do before they route.
func newRouter(next http.Handler, c *config) *router {
	rt := &router{routes: c.routes, mux: c.mux}
	switch next := next.(type) {
	case *chi.Mux:
		rt.routes, rt.next = next, next
	case *http.ServeMux:
		rt.mux = next
	}
	return rt
}

// lookups are route contexts for looking ahead. No router or handler of the user ever sees one that is in use.
var lookups = sync.Pool{New: func() any { return chi.NewRouteContext() }}

// match returns the template of the route that a chi router will take, behind the patterns that led to it, or "" if
// none matches. Match may be the user's own; if it panics, its caller recovers and the context is not used again.
func match(routes chi.Routes, method, path string, behind []string) string {
	rctx := lookups.Get().(*chi.Context)
	rctx.Reset()
	rctx.RoutePatterns = append(rctx.RoutePatterns, behind...)
	route := ""
	if routes.Match(rctx, method, path) {
		route = rctx.RoutePattern()
	}
	lookups.Put(rctx)
	return route
}

// before returns the template before the handler runs, or "". It sets s.final if nothing can be learned afterwards.
func (rt *router) before(s *serverState) (route string) {
	defer s.span.RecoverHook()
	r := s.original
	if r.URL == nil {
		return ""
	}
	if rctx := chi.RouteContext(r.Context()); rctx != nil && rctx.Routes != nil {
		s.chi = rctx
		s.root, _ = rctx.Routes.(*chi.Mux)
		s.private = rt.isFirst(s)
		route = rt.matchInChi(rctx, r)
		wildcard := strings.HasSuffix(route, "*")
		s.final = route != "" && !wildcard
		if rt.mux != nil && wildcard {
			if below := rt.matchMux(rt.mux, s); below != "" {
				return below
			}
		}
		return route
	}
	switch {
	case rt.mux != nil:
		route = rt.matchMux(rt.mux, s)
		s.final = s.final || route != ""
	case rt.routes != nil:
		s.root, _ = rt.routes.(*chi.Mux)
		route = match(rt.routes, r.Method, pathOf(r), nil)
		s.final = route != ""
	default:
		route = templateOf(r.Pattern) // of a mux that the middleware is in
		s.final = !leadsOn(route)
	}
	return route
}

// isFirst reports whether the middleware is the first of the router that serves s. chi gives its middlewares a copy of
// the request, which in that case nobody else has, so that there is no one to hand anything back to.
func (rt *router) isFirst(s *serverState) bool {
	if len(s.chi.RoutePatterns) > 0 || s.root == nil {
		return false
	}
	if rt.first.Load() == s.root {
		return true
	}
	middlewares := s.root.Middlewares()
	ours := 0
	for _, m := range middlewares {
		if reflect.ValueOf(m).Pointer() == s.code {
			ours++
		}
	}
	if ours != 1 || reflect.ValueOf(middlewares[0]).Pointer() != s.code {
		return false // another Middleware may be the first, which has not traced this request
	}
	rt.first.Store(s.root)
	return true
}

// leadsOn reports whether a template is none, or that of all paths below one, so that another router may be behind it.
func leadsOn(template string) bool {
	return template == "" || strings.HasSuffix(template, "/") || strings.HasSuffix(template, "...}") ||
		strings.HasSuffix(template, "*")
}

// matchInChi looks ahead in the router that the middleware is in. The patterns so far say where that is: none, in the
// root router before it routes; one of a mount, in the mounted router before it routes; another, behind the routing.
func (rt *router) matchInChi(rctx *chi.Context, r *http.Request) string {
	method, path := rctx.RouteMethod, rctx.RoutePath
	if method == "" {
		method = r.Method
	}
	if len(rctx.RoutePatterns) == 0 {
		if path == "" {
			path = pathOf(r)
		}
		return match(rctx.Routes, method, path, nil)
	}
	sub := subrouter{rt.next, rt.next != nil}
	if rt.next == nil || !strings.HasSuffix(rctx.RoutePatterns[len(rctx.RoutePatterns)-1], "*") {
		sub = rt.mounts.subrouter(rctx.Routes, rctx.RoutePatterns)
	}
	switch {
	case !sub.known:
		return ""
	case sub.mux == nil:
		return rctx.RoutePattern()
	}
	if n := len(rctx.URLParams.Keys) - 1; n >= 0 && rctx.URLParams.Keys[n] == "*" && rctx.URLParams.Values[n] != "" {
		path = "/" + rctx.URLParams.Values[n] // between the routing and the mount
	} else if path == "" {
		path = "/"
	}
	return match(sub.mux, method, path, rctx.RoutePatterns)
}

// maxLookup bounds the URLs for which a ServeMux is consulted before it serves them: it makes copies of them.
const maxLookup = 4096

// matchMux returns the template of a ServeMux, and of the router behind its pattern if that is one, or "".
func (rt *router) matchMux(mux *http.ServeMux, s *serverState) string {
	r := s.original
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxLookup {
		return ""
	}
	h, pattern := mux.Handler(r)
	if pattern == "" || (r.Method == http.MethodConnect && reflect.TypeOf(h) == redirectType) {
		return ""
	}
	switch h := h.(type) {
	case *http.ServeMux:
		return rt.matchMux(h, s)
	case *chi.Mux:
		s.root, s.final = h, true
		return match(h, r.Method, pathOf(r), nil)
	}
	return templateOf(pattern)
}

// redirectType is the type of the handlers with which a ServeMux cleans paths. Its pattern for CONNECT is the raw path.
var redirectType = reflect.TypeOf(http.RedirectHandler("/", http.StatusMovedPermanently))

// templateOf strips method and host from a ServeMux pattern.
func templateOf(pattern string) string {
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return pattern[i:]
	}
	return ""
}

// pathOf returns the path that chi routes by.
func pathOf(r *http.Request) string {
	switch {
	case r.URL.RawPath != "":
		return r.URL.RawPath
	case r.URL.Path != "":
		return r.URL.Path
	}
	return "/"
}

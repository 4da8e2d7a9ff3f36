package httpmw

import (
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/go-chi/chi/v5"
)

// router finds the template of the route that a request will take, or has taken.
type router struct {
	routes chi.Routes     // the chi router below, if the middleware can see it from outside
	next   chi.Routes     // routes, if it is the very next handler
	mux    *http.ServeMux // the mux below, likewise
	subs   sync.Map       // subKey → subRouter
}

// routerOf looks at the handler below a middleware, and at what the options name.
func routerOf(next http.Handler, c *config) *router {
	rt := &router{routes: c.routes, mux: c.mux}
	switch next := next.(type) {
	case chi.Routes:
		rt.routes, rt.next = next, next
	case *http.ServeMux:
		rt.mux = next
	}
	return rt
}

// lookups are route contexts for looking ahead; they are never seen by user code.
var lookups = sync.Pool{New: func() any { return chi.NewRouteContext() }}

// match returns the template that a chi router will find for a path, behind the patterns that led to it.
func match(routes chi.Routes, method, path string, behind []string) (string, bool) {
	rctx := lookups.Get().(*chi.Context)
	defer lookups.Put(rctx)
	rctx.Reset()
	rctx.RoutePatterns = append(rctx.RoutePatterns, behind...)
	if !routes.Match(rctx, method, path) {
		return "", false
	}
	return rctx.RoutePattern(), true
}

// early returns the template before the handler runs; visible tells whether a router could be asked. It notes in s
// the route context that chi will use.
func (rt *router) early(s *request, r *http.Request) (route string, visible bool) {
	if rctx := chi.RouteContext(r.Context()); rctx != nil && rctx.Routes != nil {
		s.chi.Store(rctx)
		s.insideChi = true
		route, visible = rt.inside(rctx, r)
		if rt.mux != nil && strings.HasSuffix(route, "*") {
			if below, ok := muxRoute(rt.mux, s, r); ok {
				return below, true
			}
		}
		return route, visible
	}
	switch {
	case rt.mux != nil:
		route, _ = muxRoute(rt.mux, s, r)
		return route, true
	case rt.routes != nil:
		s.routes = rt.routes
		route, _ = match(rt.routes, r.Method, pathOf(r), nil)
		return route, true
	}
	route = templateOf(r.Pattern) // of a mux that the middleware is in
	return route, route != ""
}

// inside asks the router that the middleware is in. The patterns so far tell where: none, in the root router
// before it routes; one of a mount, in the mounted router before it routes; another, behind the routing.
func (rt *router) inside(rctx *chi.Context, r *http.Request) (route string, visible bool) {
	method, path := rctx.RouteMethod, rctx.RoutePath
	if method == "" {
		method = r.Method
	}
	if len(rctx.RoutePatterns) == 0 {
		if path == "" {
			path = pathOf(r)
		}
		route, _ = match(rctx.Routes, method, path, nil)
		return route, true
	}
	sub := rt.sub(rctx)
	switch {
	case rt.next != nil && strings.HasSuffix(rctx.RoutePatterns[len(rctx.RoutePatterns)-1], "*"):
		sub.routes = rt.next // mounted with the middleware around it
	case !sub.known:
		return "", false
	case sub.routes == nil:
		return rctx.RoutePattern(), true
	}
	if n := len(rctx.URLParams.Keys) - 1; n >= 0 && rctx.URLParams.Keys[n] == "*" && rctx.URLParams.Values[n] != "" {
		path = "/" + rctx.URLParams.Values[n] // between the routing and the mount
	} else if path == "" {
		path = "/"
	}
	route, _ = match(sub.routes, method, path, rctx.RoutePatterns)
	return route, true
}

type subKey struct {
	root     *chi.Mux
	patterns string
}

// subRouter is the router mounted behind a row of patterns; routes is nil if they lead to an endpoint.
type subRouter struct {
	routes chi.Routes
	known  bool
}

// sub descends from the root router along the patterns of rctx. Listing routes is slow, so the results are kept:
// there are as many as there are routes.
func (rt *router) sub(rctx *chi.Context) subRouter {
	root, ok := rctx.Routes.(*chi.Mux)
	if !ok {
		return subRouter{}
	}
	key := subKey{root, rctx.RoutePatterns[0]}
	if len(rctx.RoutePatterns) > 1 {
		key.patterns = strings.Join(rctx.RoutePatterns, "\n")
	}
	if have, ok := rt.subs.Load(key); ok {
		return have.(subRouter)
	}
	sub := descend(root, rctx.RoutePatterns)
	rt.subs.Store(key, sub)
	return sub
}

// astray reports whether the routing ended at a mounted router rather than at an endpoint.
func (rt *router) astray(rctx *chi.Context) bool {
	return rctx != nil && len(rctx.RoutePatterns) > 0 && rt.sub(rctx).routes != nil
}

// descend does not know where a router leads that cannot list its routes, such as those that route by host.
func descend(routes chi.Routes, patterns []string) (sub subRouter) {
	defer func() { _ = recover() }()
	for _, pattern := range patterns {
		if routes == nil {
			return subRouter{}
		}
		routes = mounted(routes, pattern)
	}
	return subRouter{routes, true}
}

// mounted returns the router mounted under a pattern, nil if there is none. Mount registers "/x", "/x/" and "/x/*",
// and lists the last.
func mounted(routes chi.Routes, pattern string) chi.Routes {
	for _, route := range routes.Routes() {
		if route.SubRoutes != nil && (route.Pattern == pattern || strings.TrimSuffix(route.Pattern, "*") == pattern ||
			strings.TrimSuffix(route.Pattern, "/*") == pattern) {
			return route.SubRoutes
		}
	}
	return nil
}

// maxLookup bounds the URLs that a ServeMux is asked for before it serves them: it makes copies of them.
const maxLookup = 4096

// muxRoute asks a ServeMux, and the router behind its route if that is one. ok is false if nothing matches.
func muxRoute(mux *http.ServeMux, s *request, r *http.Request) (route string, ok bool) {
	if len(r.URL.Path)+len(r.URL.RawQuery) > maxLookup {
		return "", false
	}
	h, pattern := mux.Handler(r)
	if pattern == "" || (r.Method == http.MethodConnect && reflect.TypeOf(h) == redirectType) {
		return "", false
	}
	switch h := h.(type) {
	case *http.ServeMux:
		return muxRoute(h, s, r)
	case chi.Routes:
		s.routes = h
		return match(h, r.Method, pathOf(r), nil)
	}
	return templateOf(pattern), true
}

// redirectType is that of the handlers by which a ServeMux cleans paths. Its pattern for CONNECT is the raw path.
var redirectType = reflect.TypeOf(http.RedirectHandler("/", http.StatusMovedPermanently))

// late returns the template after the handler ran, or what is known from before. That stands when the request may
// have timed out: the handler of an http.TimeoutHandler still runs then, and may be writing to the route context. It has
// a copy of the request, so one that got the pattern of an endpoint was routed here.
func (s *request) late(r *http.Request) string {
	mayRun := s.out.status == http.StatusServiceUnavailable || s.out.status == http.StatusGatewayTimeout
	if mayRun && (s.route != "" || r.Pattern == s.pattern || strings.HasSuffix(r.Pattern, "*")) {
		return s.route
	}
	pattern := ""
	if r.Pattern != s.pattern && !(r.Method == http.MethodConnect && s.out.status/100 == 3) {
		pattern = templateOf(r.Pattern)
	}
	rctx := s.chi.Load()
	route := rctx.RoutePattern()
	switch {
	case rctx == nil:
		route = pattern
	case strings.HasSuffix(route, "*") && pattern != "" && !strings.HasSuffix(pattern, "*"):
		route = pattern // of a ServeMux below chi
	}
	notFound := s.out.status == http.StatusNotFound || s.out.status == http.StatusMethodNotAllowed
	switch {
	case route == "":
		return s.route // answered before it was routed
	case strings.HasSuffix(route, "*") && len(s.route) > len(route) && strings.HasPrefix(s.route, route[:len(route)-1]):
		return s.route // answered on the way
	case notFound && strings.HasSuffix(route, "*") && s.route == "", (notFound || s.route == "") && s.router.astray(rctx):
		return "" // of a mounted router that has no such route
	}
	return route
}

// templateOf strips method and host from a ServeMux pattern.
func templateOf(pattern string) string {
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return pattern[i:]
	}
	return ""
}

// pathOf is the path that chi routes by.
func pathOf(r *http.Request) string {
	switch {
	case r.URL.RawPath != "":
		return r.URL.RawPath
	case r.URL.Path != "":
		return r.URL.Path
	}
	return "/"
}

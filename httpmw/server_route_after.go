package httpmw

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
)

// after returns the template after the handler has run. Where one was known before, nothing of the request or of chi is
// read, since a handler that has timed out may still be writing to them. A wildcard is not known in this sense, because
// it may lead to a router that was not seen. After the statuses of timeouts, the request is only read if it was routed
// in this goroutine, and chi only if an endpoint was found by then.
func (rt *router) after(s *serverState) string {
	status := s.out.status
	notFound := status == http.StatusNotFound || status == http.StatusMethodNotAllowed
	switch {
	case s.final:
		if notFound && s.route != "" && rt.mounts.endsAtMount(s.root, s.original.Method, s.route) {
			return ""
		}
		return s.route
	case s.mayBeRouting():
		return s.route
	case isTimeout(status) && (s.route != "" || s.copy.Pattern == s.original.Pattern ||
		strings.HasSuffix(s.copy.Pattern, "*")):
		return s.route // a ServeMux or chi that has routed this very request has left an endpoint's pattern there
	}
	pattern := ""
	if s.copy.Pattern != s.original.Pattern && !(s.original.Method == http.MethodConnect && status/100 == 3) {
		pattern = templateOf(s.copy.Pattern)
	}
	route := s.chi.RoutePattern()
	switch {
	case s.chi == nil:
		route = pattern
	case strings.HasSuffix(route, "*") && pattern != "" && !strings.HasSuffix(pattern, "*"):
		route = pattern // of a ServeMux below chi
	}
	switch {
	case route == "":
		return s.route // answered before it was routed
	case strings.HasSuffix(route, "*") && len(s.route) > len(route) && strings.HasPrefix(s.route, route[:len(route)-1]):
		return s.route // answered on the way
	case notFound && strings.HasSuffix(route, "*") && s.route == "", (notFound || s.route == "") && rt.endedAtMount(s.chi):
		return "" // of a mounted router that has no such route
	}
	return route
}

// endedAtMount reports whether the routing ended at a mounted router rather than at an endpoint.
func (rt *router) endedAtMount(rctx *chi.Context) bool {
	return rctx != nil && len(rctx.RoutePatterns) > 0 && rt.mounts.subrouter(rctx.Routes, rctx.RoutePatterns).mux != nil
}

// setRoute is a route that others than the middleware which has the span have found.
type setRoute struct {
	template string
	byUser   bool // by SetRoute, which replaces what any middleware has found
}

// lendRoute gives the middleware further out that traces r the route which h finds, unless that one knows it itself. It
// may be outside of the router, put there by a tool, while h is in it.
func (h *handler) lendRoute(outer *serverState, r *http.Request) {
	set := outer.routeSet.Load()
	if outer.settled || set != nil && (set.byUser || !leadsOn(set.template)) {
		return
	}
	s := &serverState{handler: h, original: r}
	route := h.router.before(s)
	if route != "" && !h.router.mounts.endsAtMount(s.root, r.Method, route) {
		outer.routeSet.CompareAndSwap(set, &setRoute{template: route})
	}
}

// SetRoute sets the template of the route that r takes, such as "/users/{id}", for routers that the middleware does not
// know. It is called by a middleware of the router, or by a handler, with the request as that has it. The template,
// which must be one of a bounded number, replaces what was found before and may be "" for a request that matches no
// route. It names the span when the request ends, through [WithOperationName] if that is set; samplers have seen the
// name that the span was started with. SetRoute may be called from any goroutine. It does nothing if r is not traced or
// observed, or has ended.
func SetRoute(r *http.Request, template string) {
	if r == nil {
		return
	}
	if s := stateOf(r.Context()); s != nil && !s.ended.Load() {
		s.routeSet.Store(&setRoute{template, true})
	}
}

package httpmw

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// The functions in this file are called by code that is woven into routers, those of chi, net/http, gorilla/mux, gin
// and echo: see orchestrion.yml. They report the template from inside, so that it is known whatever is between the
// middleware and the router. Routers are often nested. The innermost one has the last word: those around it see that
// something has been reported since they began.

// wovenRouting is called before a router, such as [http.ServeMux], routes r. It returns what [wovenRouted] and
// [wovenReport] need, nil if there is nothing to report to.
func wovenRouting(r *http.Request) (state any, before *string) {
	if r == nil {
		return nil, nil
	}
	s := outerState(r)
	if s == nil {
		return nil, nil
	}
	return s, s.reported.Load()
}

// wovenRouted is called when the handler that a [http.ServeMux] found has returned.
func wovenRouted(state any, before *string, r *http.Request) {
	if r.Method != http.MethodConnect { // the pattern may be the raw path
		state.(*serverState).report(before, templateOf(r.Pattern))
	}
}

// wovenReport is called when a router of another kind has found a template, or none.
func wovenReport(state any, before *string, template string) {
	state.(*serverState).report(before, template)
}

// wovenChiServing is called when a chi router gets r, before its middlewares, one of which may answer. It reports the
// template of the route that the router will take, or none, if nothing else is known so far.
func wovenChiServing(mux *chi.Mux, r *http.Request) {
	s := outerState(r)
	if s == nil || s.settled || s.reported.Load() != nil || r.URL == nil {
		return
	}
	if rctx := chi.RouteContext(r.Context()); rctx != nil && rctx.Routes != nil {
		return // it is mounted in another one
	}
	defer s.span.RecoverHook() // of a router that is not chi's own
	s.report(nil, match(mux, r.Method, pathOf(r), nil))
}

// wovenChiRouting is called before a chi router, or one that is mounted in it, routes r. patterns is how many there are
// so far.
func wovenChiRouting(r *http.Request) (state any, before *string, patterns int) {
	s := outerState(r)
	rctx := chi.RouteContext(r.Context())
	if s == nil || rctx == nil {
		return nil, nil, 0
	}
	return s, s.reported.Load(), len(rctx.RoutePatterns)
}

// wovenChiRouted is called when the handler that a chi router found has returned. The router has found none if there
// are no more patterns than before.
func wovenChiRouted(state any, before *string, patterns int, r *http.Request) {
	rctx := chi.RouteContext(r.Context())
	if rctx == nil {
		return
	}
	template := ""
	if len(rctx.RoutePatterns) > patterns {
		template = rctx.RoutePattern()
	}
	state.(*serverState).report(before, template)
}

// report stores a template unless another one has been reported since before was.
func (s *serverState) report(before *string, template string) {
	s.reported.CompareAndSwap(before, &template)
}

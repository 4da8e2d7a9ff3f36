package httpmw_test

import (
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/spanloom/spanloom/httpmw"
)

// TestSetRouteBeatsLentRoutes: what the user sets replaces what a middleware further in lends to the one outside, in
// whatever order they come.
func TestSetRouteBeatsLentRoutes(t *testing.T) {
	opaque := func(h http.Handler) http.Handler { return http.HandlerFunc(h.ServeHTTP) }
	set := func(template string) mw {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				httpmw.SetRoute(r, template)
				next.ServeHTTP(w, r)
			})
		}
	}
	router := func(use ...mw) http.Handler {
		r := chi.NewRouter()
		r.Use(use...)
		r.Get("/users/{id}", ok)
		return r
	}
	for _, tt := range []struct {
		name  string
		build func(mw) http.Handler
		want  string
	}{
		{"nothing is set", func(m mw) http.Handler { return m(opaque(router(m))) }, "GET /users/{id}"},
		{"before it is lent", func(m mw) http.Handler { return m(set("/mine")(opaque(router(m)))) }, "GET /mine"},
		{"after it is lent", func(m mw) http.Handler { return m(opaque(router(m, set("/mine")))) }, "GET /mine"},
		{"to no route", func(m mw) http.Handler { return m(set("")(opaque(router(m)))) }, "GET"},
		{"to a wildcard", func(m mw) http.Handler { return m(set("/mine/*")(opaque(router(m)))) }, "GET /mine/*"},
		{"between two that lend", func(m mw) http.Handler { return m(opaque(router(m, set("/mine"), m))) }, "GET /mine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkRoutes(t, tt.build, routeCase{"GET /users/7", tt.want, "GET"})
		})
	}
}

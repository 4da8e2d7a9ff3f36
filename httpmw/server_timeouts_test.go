package httpmw_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/spantest"
)

var timeoutStatuses = []int{http.StatusRequestTimeout, http.StatusServiceUnavailable, http.StatusGatewayTimeout}

// slowly are ways to a handler behind a middleware that times out and shares its request with the router that it has
// started.
var slowly = map[string]struct {
	build func(m, timeout mw, h http.HandlerFunc) http.Handler
	name  string // of the span if the answer is the timeout's
	own   string // and if it is the handler's
}{
	"around a ServeMux": {func(m, timeout mw, h http.HandlerFunc) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/slow/{id}", h)
		return m(timeout(mux))
	}, "GET", "GET /slow/{id}"},
	"around chi": {func(m, timeout mw, h http.HandlerFunc) http.Handler {
		r := chi.NewRouter()
		r.Get("/slow/{id}", h)
		return m(timeout(r))
	}, "GET", "GET"}, // chi routes a copy
	"Use before rewriting": {func(m, timeout mw, h http.HandlerFunc) http.Handler {
		r := chi.NewRouter()
		r.Use(m, middleware.PathRewrite("/slow/", "/slower/"), timeout)
		r.Get("/slower/{id}", h)
		return r
	}, "GET", "GET /slower/{id}"},
	"Use before a hidden router": {func(m, timeout mw, h http.HandlerFunc) http.Handler {
		r, below := chi.NewRouter(), chi.NewRouter()
		below.Get("/{id}", h)
		r.Use(m)
		r.Mount("/slow", timeout(below))
		return r
	}, "GET /slow/*", "GET /slow/*"},
}

// TestRoutersThatOutliveTimeouts: an answer that comes while a router still writes to the request ends the span without a
// look at it, whatever is above the router.
func TestRoutersThatOutliveTimeouts(t *testing.T) {
	for place, tt := range slowly {
		for _, status := range timeoutStatuses {
			t.Run(fmt.Sprint(place, " ", status), func(t *testing.T) {
				tracer := spantest.New(t)
				var handlers sync.WaitGroup
				timeout := func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						handlers.Go(func() { next.ServeHTTP(httptest.NewRecorder(), r) })
						w.WriteHeader(status)
					})
				}
				r := httptest.NewRequest("GET", "/slow/7", nil)
				tt.build(httpmw.Middleware(tracer), timeout, func(http.ResponseWriter, *http.Request) {}).ServeHTTP(httptest.NewRecorder(), r)
				if got := one(t, tracer).OperationName; got != tt.name {
					t.Errorf("name %q, want %q", got, tt.name)
				}
				handlers.Wait()
			})
		}
	}
}

// TestHandlersThatAnswerLikeTimeouts are named by their routes, and what their router wrote is handed back.
func TestHandlersThatAnswerLikeTimeouts(t *testing.T) {
	direct := func(h http.Handler) http.Handler { return http.HandlerFunc(h.ServeHTTP) }
	for place, tt := range slowly {
		for _, status := range timeoutStatuses {
			t.Run(fmt.Sprint(place, " ", status), func(t *testing.T) {
				type seen struct{ pattern, id string }
				run := func(m mw) (after seen) {
					h := tt.build(m, direct, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
					r := httptest.NewRequest("GET", "/slow/7", nil)
					h.ServeHTTP(httptest.NewRecorder(), r)
					return seen{r.Pattern, r.PathValue("id")}
				}
				tracer := spantest.New(t)
				bare, traced := run(direct), run(httpmw.Middleware(tracer))
				if bare != traced {
					t.Errorf("the request after it %q, bare %q", traced, bare)
				}
				if got := one(t, tracer).OperationName; got != tt.own {
					t.Errorf("name %q, want %q", got, tt.own)
				}
			})
		}
	}
}

//go:build !race

package httpmw

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWovenServerAllocatesWhatTheMiddlewareDoes(t *testing.T) {
	allocs := func(h http.Handler) float64 {
		r, w := httptest.NewRequest(http.MethodGet, "/users/7", nil), httptest.NewRecorder()
		return testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) })
	}
	tracer, _ := kitTracer(t)
	tracer.StartSpan("first").Finish()
	byHand := allocs(Middleware(nil)(chiRoutes()))
	if got := allocs(weave(t, chiRoutes())); got > byHand {
		t.Errorf("%v allocations, by hand %v", got, byHand)
	}
}

//go:build !race

package prommw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

func TestAllocsOnTopOfTracing(t *testing.T) {
	samplers := map[string]tracerinit.Sampler{"sampled": tracerinit.Always(), "unsampled": tracerinit.Never()}
	for name, sampler := range samplers {
		t.Run(name, func(t *testing.T) {
			tracer, memory := start(t, sampler, false)
			m := prommw.New(prommw.Config{})
			count := func(opts ...httpmw.ServerOption) float64 {
				handler := httpmw.Middleware(tracer, opts...)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
				handler.ServeHTTP(w, r)
				defer memory.Reset()
				return testing.AllocsPerRun(2000, func() { handler.ServeHTTP(w, r) })
			}
			if bare, with := count(), count(m.HTTPServer()); with-bare > 1 {
				t.Errorf("%v allocations a request with metrics, %v without: more than 1 on top", with, bare)
			}
		})
	}
}

package traceview_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spanloom/spanloom/internal/woven"
	"github.com/spanloom/spanloom/traceview"
)

// tracedRequest counts how often its span is dropped.
type tracedRequest struct{ discarded int }

func (r *tracedRequest) Discard() { r.discarded++ }

func TestViewsOfThePageAreNotTracedByWovenCode(t *testing.T) {
	for want, isWoven := range []bool{false, true} {
		t.Run(fmt.Sprintf("woven %t", isWoven), func(t *testing.T) {
			if isWoven {
				t.Cleanup(woven.Force())
			}
			traced := new(tracedRequest)
			r := httptest.NewRequest(http.MethodGet, "/debug/traces/", nil)
			r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
			r = r.WithContext(context.WithValue(r.Context(), woven.RequestKey{}, traced))
			v := traceview.New(traceview.Config{})
			w := httptest.NewRecorder()
			v.ServeHTTP(w, r)
			v.Close()
			if w.Code != http.StatusOK || traced.discarded != want {
				t.Errorf("status %d, dropped %d times", w.Code, traced.discarded)
			}
		})
	}
}

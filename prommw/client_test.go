package prommw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spanloom/spanloom/httpmw"
	"github.com/spanloom/spanloom/prommw"
	"github.com/spanloom/spanloom/tracerinit"
)

// TestAClientsRequestLastsUntilItsBodyEnds, read to its end or closed before.
func TestAClientsRequestLastsUntilItsBodyEnds(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		io.WriteString(w, "second")
	}))
	defer srv.Close()
	for name, end := range map[string]func(io.ReadCloser){
		"read":   func(b io.ReadCloser) { io.Copy(io.Discard, b) },
		"closed": func(b io.ReadCloser) { b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			tracer, memory := start(t, tracerinit.Always(), false)
			m := prommw.New(prommw.Config{})
			client := http.Client{Transport: httpmw.Transport(tracer, srv.Client().Transport, m.HTTPClient())}
			resp, err := client.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			inFlight := func() float64 { return gather(t, m, "http_client_active_requests")[0].Gauge.GetValue() }
			if n := inFlight(); n != 1 {
				t.Errorf("%v requests in flight before the body ends, want 1", n)
			}
			end(resp.Body)
			if n := inFlight(); n != 0 {
				t.Errorf("%v requests in flight after the body has ended, want 0", n)
			}
			got := gather(t, m, "http_client_request_duration_seconds")
			if requests(got) != 1 || label(got[0], "http_response_status_code") != "200" {
				t.Errorf("got %v", got)
			}
			checkExemplars(t, exemplars(got), memory.GetSpans())
		})
	}
}

package httpmw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/opentracing/opentracing-go"

	"github.com/spanloom/spanloom/carrier"
	"github.com/spanloom/spanloom/httpmw"
)

// ownLabels returns the labels of the running goroutine, as the profile of all goroutines has them.
func ownLabels() string {
	var profile strings.Builder
	pprof.Lookup("goroutine").WriteTo(&profile, 1)
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if _, labels, _ := strings.Cut(block, "# labels: "); strings.Contains(labels, "pprof.(*Profile).WriteTo") {
			labels, _, _ = strings.Cut(labels, "\n")
			return labels
		}
	}
	return ""
}

// labelled reports whether the running goroutine has all the labels, given as key and value.
func labelled(labels ...string) bool {
	own := ownLabels()
	for i := 0; i < len(labels); i += 2 {
		if !strings.Contains(own, `"`+labels[i]+`":"`+labels[i+1]+`"`) {
			return false
		}
	}
	return true
}

// TestLabelsOfTheServersGoroutineSurvive: those of the goroutine that serves, which the contexts of requests lack. The
// second request comes over the same connection.
func TestLabelsOfTheServersGoroutineSurvive(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	var between []bool
	handler := httpmw.Middleware(tracer, httpmw.WithProfilingLabels())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := carrier.TraceID(opentracing.SpanFromContext(r.Context()).Context())
		if !labelled("service", "shop", "trace_id", id) {
			t.Errorf("want service and trace %s on the goroutine, got %s", id, ownLabels())
		}
		if service, _ := pprof.Label(r.Context(), "service"); service != "shop" {
			t.Errorf("service %q in the context, want shop", service)
		}
	}))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		between = append(between, labelled("service", "shop") && !strings.Contains(ownLabels(), "trace_id"))
	}))
	pprof.Do(t.Context(), pprof.Labels("service", "shop"), func(context.Context) { srv.Start() })
	for range 2 {
		resp, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	srv.Close()
	if len(between) != 2 || !between[0] || !between[1] {
		t.Errorf("the goroutine has its own labels, and no more, after each request: %v", between)
	}
}

// TestCallsRestoreTheHandlersLabels even if they are made with a context that has none.
func TestCallsRestoreTheHandlersLabels(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	labels := httpmw.WithProfilingLabels()
	client := httpmw.Transport(tracer, roundTripper(reply(200, http.NoBody)), labels)
	handler := httpmw.Middleware(tracer, labels)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		client.RoundTrip(newGet(context.Background(), "http://a.example/"))
		id := carrier.TraceID(opentracing.SpanFromContext(r.Context()).Context())
		if !labelled("trace_id", id, "span_name", "POST") {
			t.Errorf("want trace %s on the goroutine after the call, got %s", id, ownLabels())
		}
	}))
	handler.ServeHTTP(httptest.NewRecorder(), request("POST", "/"))
}

// TestLabelsThatAHandlerSetsEndWithIt, as do those of the span.
func TestLabelsThatAHandlerSetsEndWithIt(t *testing.T) {
	tracer, _ := newJaeger(t, always)
	handler := httpmw.Middleware(tracer, httpmw.WithProfilingLabels())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		pprof.SetGoroutineLabels(pprof.WithLabels(r.Context(), pprof.Labels("step", "pay")))
		if !labelled("step", "pay", "span_name", "GET") {
			t.Errorf("want the step beside the span, got %s", ownLabels())
		}
	}))
	handle(handler, "GET", "/")
	if got := ownLabels(); strings.Contains(got, "step") || strings.Contains(got, "span_name") {
		t.Errorf("left on the goroutine: %s", got)
	}
}
